// What is inside of the sidecar's bundle, for programs: scanners see one file where dozens of packages are.

/** A package of npm. */
export interface SbomComponent {
  readonly name: string
  readonly version: string
  readonly license?: string | undefined
}

/** A CycloneDX list of an application's components. The same components make the same text. */
export function renderSbom(application: SbomComponent, components: readonly SbomComponent[]): string {
  const document = {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: { component: { type: 'application', ...describe(application) } },
    components: components.map((component) => ({ type: 'library', ...describe(component) })),
    dependencies: [{ ref: packageUrl(application), dependsOn: components.map(packageUrl) }],
  }
  return `${JSON.stringify(document, undefined, 2)}\n`
}

function describe(component: SbomComponent): object {
  const { name, version, license } = component
  const purl = packageUrl(component)
  return { 'bom-ref': purl, name, version, purl, ...(license !== undefined && { licenses: [{ expression: license }] }) }
}

/** A package by its URL, in which the @ of a scope is encoded. */
function packageUrl({ name, version }: SbomComponent): string {
  return `pkg:npm/${name.replace('@', '%40')}@${version}`
}
