/** The registry alone: the package's entry also loads process metrics and more, 20 MB of memory in all. */
declare module 'prom-client/lib/registry.js' {
  import { Registry } from 'prom-client'
  export default Registry
}
