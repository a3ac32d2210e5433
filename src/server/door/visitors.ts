import type { ConnectOptions } from "../../hub/connects.ts";
import type { Session } from "../../hub/session.ts";
import type { Transport } from "../../hub/delivery/transport.ts";
import { CLOSE } from "../../protocol/close_code.ts";
import { logOf } from "../../telemetry/log.ts";
import type { Authenticator } from "./authenticator.ts";
import type { Expiries } from "./expiry.ts";
import type { Identity } from "./identity.ts";

/** What a client is known by where it is served. */
export interface Served {
  readonly hasEnded: boolean;
}

/** Where clients are served: a hub, or the threads that have their connections. */
export interface ServingPlace<Way, Client extends Served> {
  connect(way: Way, wishes: ConnectOptions, identity: Identity): Client;
  expel(client: Client, close: "revoked" | "expired"): void;
  changeRights(client: Client, rights: ConnectOptions, identity: Identity): boolean;
}

export interface VisitorsOptions<Way, Client extends Served> {
  hub: ServingPlace<Way, Client>;
  /** The rules in force just now. */
  authenticator: () => Authenticator;
  expiries: Expiries;
}

/** A client that is inside; dispose of it when its connection has ended. */
export interface Visitor<Client extends Served = Session> extends Disposable {
  readonly session: Client;
}

/**
 * The clients that are inside, each with the identity it came in by, so that rights that are taken
 * back, or expire, are taken from those who are here already.
 */
export class Visitors<
  Way extends Pick<Transport, "close"> = Transport,
  Client extends Served = Session,
> {
  readonly #options: VisitorsOptions<Way, Client>;
  readonly #inside = new Map<Client, Identity>();

  constructor(options: VisitorsOptions<Way, Client>) {
    this.#options = options;
  }

  /**
   * Makes somebody who was let in a client of the hub. Undefined, and the transport closed, if the
   * rules changed between the two and it would not be let in any more.
   */
  enter(
    transport: Way,
    identity: Identity,
    wishes: ConnectOptions,
  ): Visitor<Client> | undefined {
    const { hub, authenticator, expiries } = this.#options;
    const current = authenticator().renew(identity);
    if (current === undefined) {
      transport.close(CLOSE.revoked.code, CLOSE.revoked.reason);
      return undefined;
    }
    const session = hub.connect(transport, { ...wishes, ...rightsOf(current) }, current);
    this.#inside.set(session, current);
    const expiry = expiries.add(current.expiresAt, () => hub.expel(session, "expired"));
    return {
      session,
      [Symbol.dispose]: () => {
        expiry[Symbol.dispose]();
        this.#inside.delete(session);
      },
    };
  }

  /**
   * The rules have changed: who would not be let in any more is closed, who may read less is
   * unsubscribed from what it may not. Nobody else notices anything.
   */
  rulesChanged(): void {
    const { hub, authenticator } = this.#options;
    const rules = authenticator();
    let closed = 0;
    let changed = 0;
    for (const [session, identity] of this.#inside) {
      if (session.hasEnded) continue;
      const current = rules.renew(identity);
      if (current === identity) continue;
      if (current === undefined) {
        closed += 1;
        hub.expel(session, "revoked");
        continue;
      }
      this.#inside.set(session, current);
      if (hub.changeRights(session, rightsOf(current), current)) changed += 1;
    }
    if (closed + changed > 0) logOf("server").info("clients.rights_changed", { closed, changed });
  }
}

/** The hub knows nothing of tokens, but what they may read and how they are called. */
function rightsOf({ name, mayRead, readsAll, credential }: Identity): ConnectOptions {
  return {
    ...(readsAll ? {} : { mayRead }),
    ...(credential.kind === "none" ? {} : { tokenName: name }),
  };
}
