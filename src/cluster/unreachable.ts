/** What was to be published was not, or nobody can say whether it was. */
export class ClusterUnreachable extends Error {
  override readonly name = "ClusterUnreachable";
  /** It never will be: it is too large for the broker. */
  readonly isTooLarge: boolean;

  constructor(why: string, { isTooLarge = false } = {}) {
    super(why);
    this.isTooLarge = isTooLarge;
  }
}
