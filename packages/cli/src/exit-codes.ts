/** What the exit code of the command says. */
export const EXIT = {
  done: 0,
  /** Something failed; `doctor` found a fault. */
  failed: 1,
  /** Arguments or the environment cannot be used; nothing was sent. */
  usage: 2,
  /** Nothing exists under that name. */
  notFound: 3,
  /** Redis or the admin API does not answer, or not in time. */
  unreachable: 4,
  /** The token or the ACL user may not do that. */
  refused: 5,
  /** A change that was not confirmed, so that nothing was changed. */
  unconfirmed: 6,
  /** Ended by Ctrl-C. */
  interrupted: 130,
  /** Ended by SIGTERM. */
  terminated: 143,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
