/** The service that the environment names, as the AWS SDK does. */
export function environmentEndpoint(): string | undefined {
  const { AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL } = process.env
  return AWS_ENDPOINT_URL_S3 ?? AWS_ENDPOINT_URL
}

/** The region that the environment names. The SDK itself knows only the first. */
export function environmentRegion(): string | undefined {
  const { AWS_REGION, AWS_DEFAULT_REGION } = process.env
  return AWS_REGION ?? AWS_DEFAULT_REGION
}
