/** Colours of both schemes; each is readable on each background of its scheme (a test computes the contrast). */
export const colours = {
  light: {
    ground: '#ffffff',
    raised: '#f3f5f7',
    text: '#1b1f24',
    quiet: '#57606a',
    line: '#d0d7de',
    link: '#0a4f9e',
    good: '#0f5f2c',
    odd: '#7a4a00',
    bad: '#a40e26',
    alarm: '#ffebe9',
  },
  dark: {
    ground: '#0e1116',
    raised: '#181d24',
    text: '#e6edf3',
    quiet: '#9aa4af',
    line: '#343b44',
    link: '#7cbcff',
    good: '#58d16d',
    odd: '#e3b341',
    bad: '#ff8a80',
    alarm: '#3b1419',
  },
} as const

const variables = (of: Readonly<Record<string, string>>): string =>
  Object.entries(of)
    .map(([name, value]) => `--${name}:${value}`)
    .join(';')

/** The style of every page. It names no fonts, pictures or files. */
export const style = `
:root{color-scheme:light dark;${variables(colours.light)}}
@media (prefers-color-scheme:dark){:root{${variables(colours.dark)}}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--text);font:15px/1.5 system-ui,-apple-system,"Segoe UI",sans-serif}
a{color:var(--link)}
a:focus-visible,button:focus-visible,[tabindex]:focus-visible{outline:3px solid var(--link);outline-offset:2px;border-radius:2px}
.skip{position:absolute;left:-99rem}
.skip:focus{left:1rem;top:.5rem;background:var(--ground);padding:.5rem;z-index:1}
header,main,footer{max-width:76rem;margin:0 auto;padding:0 1.25rem}
header{display:flex;flex-wrap:wrap;gap:.25rem 1.25rem;align-items:center;padding-top:1rem;padding-bottom:.75rem;border-bottom:1px solid var(--line)}
header .name{font-size:1.15rem;font-weight:650;color:var(--text);text-decoration:none}
nav ul{display:flex;flex-wrap:wrap;gap:0 1rem;list-style:none;margin:0;padding:0}
nav a{display:inline-block;padding:.3rem 0}
nav a[aria-current]{color:var(--text);font-weight:600;text-decoration:none}
.update{margin-left:auto;display:flex;gap:.75rem;align-items:center}
.update .quiet:empty{display:none}
.unseen{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
button{font:inherit;color:var(--text);background:var(--raised);border:1px solid var(--quiet);border-radius:6px;padding:.2rem .7rem;cursor:pointer}
h1{font-size:1.5rem;line-height:1.25;margin:1.4rem 0 .4rem;overflow-wrap:anywhere}
h2{font-size:1.15rem;margin:2.2rem 0 .5rem}
p{margin:.4rem 0;max-width:60rem}
code{font:.92em ui-monospace,Menlo,Consolas,monospace;background:var(--raised);padding:.05em .35em;border-radius:4px;overflow-wrap:anywhere}
.quiet,.exact{color:var(--quiet)}
.exact{font-size:.85em;display:block}
dd .exact,p .exact{display:inline}
.good{color:var(--good)}.odd{color:var(--odd)}.bad{color:var(--bad)}
.good,.odd,.bad{font-weight:600}
.counts{display:flex;flex-wrap:wrap;gap:.6rem;list-style:none;padding:0;margin:.8rem 0 0}
.counts li{background:var(--raised);border:1px solid var(--line);border-radius:8px;padding:.35rem .9rem;min-width:6.5rem}
.counts b{display:block;font-size:1.35rem;line-height:1.3;font-variant-numeric:tabular-nums}
.box{border:1px solid var(--line);border-left:6px solid var(--odd);background:var(--raised);border-radius:8px;padding:.4rem 1rem .8rem;margin:1rem 0}
.box h2{margin:.4rem 0}
.alarm{border-color:var(--bad);background:var(--alarm)}
.alarm h2{color:var(--bad)}
.alarm code{background:var(--ground)}
.alarm .quiet,.alarm .exact{color:var(--text)}
.box ul{padding-left:1.2rem;margin:.4rem 0}
.box li{margin:.45rem 0}
.wide{overflow-x:auto;border:1px solid var(--line);border-radius:8px}
table{border-collapse:collapse;width:100%}
caption{text-align:left;color:var(--quiet);padding:.5rem .75rem;border-bottom:1px solid var(--line)}
th,td{text-align:left;vertical-align:top;padding:.45rem .75rem;border-top:1px solid var(--line)}
thead th{border-top:0;color:var(--quiet);font-weight:600;font-size:.87rem;white-space:nowrap}
tbody th{font-weight:600;overflow-wrap:anywhere;min-width:10rem;max-width:22rem}
tbody th.id{white-space:nowrap;min-width:0}
td bdi{overflow-wrap:anywhere}
td:has(bdi){min-width:9rem}
td:has(time){min-width:7.5rem}
td.number,th.number{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
td.why{overflow-wrap:anywhere;min-width:12rem;max-width:30rem}
td.bar{min-width:16rem;width:45%}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1.25rem;margin:.8rem 0}
dt{color:var(--quiet)}
dd{margin:0;overflow-wrap:anywhere}
svg{display:block}
svg .good{fill:var(--good)}svg .odd{fill:var(--odd)}svg .bad{fill:var(--bad)}svg .hook{fill:var(--link)}svg .held{fill:var(--odd)}
svg .track{fill:var(--line)}
.shade{fill:var(--odd);opacity:.28}
svg.parts{position:absolute}
svg .run{fill:var(--quiet)}
svg .sizes{fill:none;stroke:var(--link);stroke-width:2}
svg.timeline{width:100%;height:14px}
.more{margin:.6rem 0}
footer{color:var(--quiet);border-top:1px solid var(--line);margin-top:3rem;padding-top:.8rem;padding-bottom:1.5rem}
@media (max-width:40rem){
header,main,footer{padding-left:.8rem;padding-right:.8rem}
header .name{flex:1}
nav{order:1;width:100%}
nav a{padding:.5rem 0}
button{padding:.5rem .7rem}
dl{grid-template-columns:1fr;gap:0}
dd{margin-bottom:.5rem}
table,caption,tbody,tr,tbody th,td{display:block}
thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
tr{padding:.55rem .75rem;border-top:1px solid var(--line)}
tbody tr:first-child{border-top:0}
tbody th,td,td.number{border:0;padding:.12rem 0;max-width:none;min-width:0;text-align:left;white-space:normal}
tbody th{padding-bottom:.2rem}
tbody th a{display:inline-block;padding:.3rem 0}
td:has(bdi),td:has(time),td.bar,td.why{min-width:0;width:auto}
td:empty{display:none}
tbody td,tbody td.number{position:relative;padding-left:7.5rem}
td::before{content:attr(data-head);content:attr(data-head) / "";position:absolute;left:0;color:var(--quiet)}
tbody td.why,tbody td.bar{padding-left:0}
td.why::before,td.bar::before{position:static;display:block}
td.bar svg{margin:.1rem 0 .3rem}
td .exact{display:inline-block}
}
@media (prefers-reduced-motion:no-preference){html{scroll-behavior:smooth}}
`
