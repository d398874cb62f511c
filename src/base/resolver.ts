// What this machine knows of names and addresses: the system's resolver, and the addresses that are its own. Adapters;
// who may be called is decided above.

import { networkInterfaces } from "node:os";

/** Every address that a name has, as texts. Contract: rejects with the system's error where there is none. */
export type ResolveName = (name: string) => Promise<readonly string[]>;

/** The system's own resolver, hosts file included. It knows no deadline. */
export function systemResolver(): ResolveName {
  return async (name) => {
    const { lookup } = await import("node:dns/promises");
    const found = await lookup(name, { all: true });
    return found.map(({ address }) => address);
  };
}

/** The addresses of this machine as of now. */
export function ownAddresses(): readonly string[] {
  return Object.values(networkInterfaces()).flatMap((each) => (each ?? []).map(({ address }) => address));
}
