import type { SecretRef, Secrets } from '@holdfast/sdk'

/** A text, or what a reference leads to. */
export async function openText(given: string | SecretRef, secrets: Secrets): Promise<string> {
  return typeof given === 'string' ? given : (await secrets.open(given)).reveal()
}
