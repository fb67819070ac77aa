import type { SecretRef, Secrets } from '@holdfast/sdk'
import { openText } from '../../notify/open-text.ts'
import type { Redactor } from '../redaction.ts'
import { gatewayForms, parseGateway, shownGateway } from './gateway-address.ts'

/** What {@link openGateway} needs. */
export interface OpenGatewayOptions {
  readonly secrets: Secrets
  readonly redactor: Pick<Redactor, 'add'>
}

/**
 * The address of a Pushgateway as it is now. The redactor knows its password afterwards, whatever it is a part of.
 *
 * @throws HoldfastError `SECRET_MISSING`
 * @throws Error when what a reference leads to is no address
 */
export async function openGateway(given: string | SecretRef, { secrets, redactor }: OpenGatewayOptions): Promise<URL> {
  const gateway = parseGateway(await openText(given, secrets))
  // What is there is a secret, so it is not repeated.
  if (gateway === undefined) throw new Error(`what is there is not ${gatewayForms}`)
  const { username, password } = gateway
  if (password !== '') {
    const plain = decoded(password)
    redactor.add(plain)
    // As it is sent, in base64.
    redactor.add(`${decoded(username)}:${plain}`)
  }
  return gateway
}

/** An address for messages, where nobody could open it. */
export function describeGateway(given: string | SecretRef): string {
  if (typeof given !== 'string') return 'env' in given ? `of the variable ${given.env}` : `of the file ${given.file}`
  const gateway = parseGateway(given)
  return gateway === undefined ? '' : shownGateway(gateway)
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
