/** Where an object or an account is. Without it, kubectl takes the namespace of its context, or `-n`. */
export function inNamespace(namespace: string | undefined): { readonly namespace?: string } {
  return namespace === undefined ? {} : { namespace }
}
