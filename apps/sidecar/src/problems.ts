import type { HoldfastFailure } from '@holdfast/sdk'
import type { ConfigProblem } from '@holdfast/runtime'

/** The problems that one error stands for: of a configuration, of a set of scripts; none for any other error. */
export function listedProblems({ details }: Pick<HoldfastFailure, 'details'>): readonly ConfigProblem[] {
  const { problems } = details
  return Array.isArray(problems) ? problems : []
}

/** The problems that an error stands for, or the error itself. */
export function problemsIn(
  error: Pick<HoldfastFailure, 'code' | 'message' | 'hint' | 'details'>,
): readonly Pick<HoldfastFailure, 'code' | 'message' | 'hint'>[] {
  const problems = listedProblems(error)
  return problems.length > 0 ? problems : [error]
}
