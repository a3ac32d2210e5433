import { missingPermission } from "./permission.ts";

/** A part of a value that this machine or this process could not give, and why. */
export interface Missing {
  readonly field: string;
  readonly reason: string;
}

/** Collects what could not be read, so that the rest is told all the same. */
export class MissingParts {
  readonly #parts: Missing[] = [];
  #firstError: unknown;

  get parts(): readonly Missing[] {
    return this.#parts;
  }

  /** The first error met, for when nothing at all could be read. */
  get firstError(): unknown {
    return this.#firstError;
  }

  add(field: string, reason: string): void {
    this.#parts.push({ field, reason });
  }

  /** What `read` gives; `undefined`, and an entry under `field`, if it throws. */
  async attempt<T>(field: string, read: () => T | Promise<T>): Promise<T | undefined> {
    try {
      return await read();
    } catch (error) {
      this.#firstError ??= error;
      this.add(field, reasonOf(error));
      return undefined;
    }
  }
}

function reasonOf(error: unknown): string {
  const permission = missingPermission(error);
  if (permission !== undefined) return permission;
  return error instanceof Deno.errors.NotFound
    ? "this system does not tell"
    : "it could not be read";
}
