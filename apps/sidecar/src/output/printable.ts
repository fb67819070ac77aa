// eslint-disable-next-line no-control-regex -- control characters are what is looked for
const moving = /\u001B(?!\[[\d;]*m)|[\u0000-\u0008\u000B-\u001A\u001C-\u001F\u007F-\u009F]/g

/** A text that can't move the cursor of whoever reads it: control characters but newlines, tabs and colours are spelt out. */
export function printable(text: string): string {
  return text.replaceAll(moving, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`)
}
