import { type LookupAddress, type LookupOptions, lookup as systemLookup } from "node:dns";
import type { LookupFunction } from "node:net";
import { buildConnector } from "undici";
import { type AddressRules, isPrivateHost, isPublicAddress, privateAddress } from "./address.js";
import { FetchError } from "./fetch-error.js";

/** All addresses of a name. */
export type Resolve = (hostname: string) => Promise<readonly LookupAddress[]>;

export const systemResolve: Resolve = (hostname) =>
  new Promise((resolve, reject) => {
    systemLookup(hostname, { all: true }, (error, addresses) => (error ? reject(error) : resolve(addresses)));
  });

export interface ConnectorOptions extends AddressRules {
  readonly resolve: Resolve;
  /** Milliseconds. */
  readonly connectTimeout: number;
}

/**
 * Connects to addresses that were checked, and to no others: the name is resolved once, every answer is judged, and the socket gets the judged numbers. A name
 * that leads elsewhere the second time it is asked (DNS rebinding) gains nothing.
 */
export function guardedConnector(options: ConnectorOptions): buildConnector.connector {
  const plain = (port: number): buildConnector.connector => {
    const lookup: LookupFunction = (hostname, lookupOptions: LookupOptions, callback) => {
      publicAddresses(hostname, port, options).then(
        (addresses) => {
          if (lookupOptions.all) callback(null, addresses as LookupAddress[]);
          else callback(null, addresses[0]!.address, addresses[0]!.family);
        },
        (error: unknown) => callback(error as NodeJS.ErrnoException, []),
      );
    };
    return buildConnector({ timeout: options.connectTimeout, lookup } as buildConnector.BuildOptions);
  };
  const connectors = new Map<number, buildConnector.connector>();
  return (connection, callback) => {
    const port = Number(connection.port) || (connection.protocol === "https:" ? 443 : 80);
    let connect = connectors.get(port);
    if (!connect) {
      connect = plain(port);
      connectors.set(port, connect);
    }
    connect(connection, (...result) => {
      const [error, socket] = result;
      if (error) return callback(error, null);
      // Numbers in place of names are not looked up; checkUrl has judged them, and this does again.
      const address = socket.remoteAddress;
      if (address !== undefined && !isPublicAddress(address) && !isPrivateHost(connection.hostname, port, options)) {
        socket.destroy();
        return callback(privateAddress(connection.hostname, address), null);
      }
      callback(null, socket);
    });
  };
}

async function publicAddresses(hostname: string, port: number, options: ConnectorOptions): Promise<readonly LookupAddress[]> {
  let addresses: readonly LookupAddress[];
  try {
    addresses = await options.resolve(hostname);
  } catch (error) {
    const code: unknown = Reflect.get(Object(error), "code");
    throw new FetchError("network", "unknown-host", `safeFetch: cannot resolve ${hostname} (${String(code)})`, {
      cause: error,
      // The name server is away; a name that does not exist will not be there the next time.
      retryable: code === "EAI_AGAIN" || code === "ESERVFAIL" || code === "ETIMEOUT",
    });
  }
  if (addresses.length === 0) throw new FetchError("network", "unknown-host", `safeFetch: cannot resolve ${hostname}: it has no addresses`);
  // One private address among public ones is enough: a name of that kind is made to slip through.
  const inside = addresses.find(({ address }) => !isPublicAddress(address));
  if (inside && !isPrivateHost(hostname, port, options)) throw privateAddress(hostname, inside.address);
  return addresses;
}
