/** One line of what would be done: of `holdfast plan`, and of a restore with `--dry-run`. */
export interface PlannedStep {
  readonly kind: 'exec' | 'api' | 'artifact' | 'undo' | 'delete'
  readonly what: string
  readonly where?: string | undefined
}
