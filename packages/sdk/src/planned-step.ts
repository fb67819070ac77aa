/** One line of what would be done: of `holdfast plan`, and of a restore with `--dry-run`. */
export interface PlannedStep {
  readonly kind: 'exec' | 'api' | 'artifact' | 'undo' | 'delete'
  /**
   * In a plan as it is printed there, with the name of the program or artifact in it: `pg_dump of shop`. Of a restore what
   * follows "would": `make the database shop`.
   */
  readonly what: string
  readonly where?: string | undefined
}
