import ipaddr from "ipaddr.js";
import { FetchError } from "./fetch-error.js";

/** Public by its number, and yet a cloud's own service inside each of its machines. */
const metadataAddresses: ReadonlySet<string> = new Set(["168.63.129.16"]);

const globalUnicast = ipaddr.parseCIDR("2000::/3");

/**
 * Whether an IP address belongs to the public internet. Everything else is not: private, loopback, link-local (and with it 169.254.169.254), shared (CGNAT),
 * multicast, reserved, benchmarking; IPv6 addresses that carry an IPv4 one (mapped, NAT64, 6to4, Teredo) whatever it is, since what answers there is not
 * what they say.
 */
export function isPublicAddress(address: string): boolean {
  const text = address.replace(/^\[|\]$/g, "");
  if (text.includes("%") || !ipaddr.isValid(text)) return false;
  const parsed = ipaddr.parse(text);
  if (parsed.range() !== "unicast") return false;
  if (parsed.kind() === "ipv6") return parsed.match(globalUnicast as [ipaddr.IPv6, number]);
  return !metadataAddresses.has(parsed.toString());
}

export interface AddressRules {
  /** Ports that may be asked. */
  readonly ports: readonly number[];
  /** Hosts, `host` or `host:port`, that may lie in private networks; `"all"` for any. */
  readonly privateHosts: readonly string[] | "all";
}

/**
 * A URL that may be asked, as far as its text tells; where its name leads is checked when it is resolved.
 *
 * @throws FetchError `bad-address` unless it is http or https without name and password; `port`; `private-address` for numbers, in whatever way they are written
 */
export function checkUrl(text: string, rules: AddressRules, base?: URL): URL {
  const shown = JSON.stringify(text.slice(0, 200));
  const refuse = (reason: "bad-address" | "port" | "private-address", message: string) =>
    new FetchError("refused", reason, `safeFetch: ${message}, got ${shown}`);
  if (text.length > 8192) throw refuse("bad-address", "expected an address of at most 8192 characters");
  let url: URL;
  try {
    url = base ? new URL(text, base) : new URL(text);
  } catch {
    throw refuse("bad-address", "expected an http or https address");
  }
  if (url.protocol !== "http:" && url.protocol !== "https:") throw refuse("bad-address", "expected an http or https address");
  if (url.username !== "" || url.password !== "") throw refuse("bad-address", "expected an address without user name and password");
  url.hash = "";
  const port = portOf(url);
  const host = url.hostname.replace(/^\[|\]$/g, "");
  if (!rules.ports.includes(port) && !isPrivateHost(host, port, rules, "with-port"))
    throw refuse("port", `expected port ${rules.ports.join(" or ")}`);
  // The URL parser has turned 0x7f.1, 2130706433 and 0177.0.0.1 into dotted numbers already.
  if (ipaddr.isValid(host)) {
    if (!isPublicAddress(host) && !isPrivateHost(host, port, rules)) throw privateAddress(host, host);
  } else if (/^(localhost|.*\.localhost|.*\.local|.*\.internal)\.?$/i.test(host) && !isPrivateHost(host, port, rules))
    throw privateAddress(host, host);
  return url;
}

/** Whether a host was named as one that may be private; `with-port` only if its port was named too, or everything is allowed. */
export function isPrivateHost(
  host: string,
  port: number,
  { privateHosts }: AddressRules,
  exactly: "host-or-port" | "with-port" = "host-or-port",
): boolean {
  if (privateHosts === "all") return true;
  const name = host.replace(/^\[|\]$/g, "").toLowerCase();
  const full = name.includes(":") ? `[${name}]` : name;
  return privateHosts.some((entry) => {
    const allowed = entry.toLowerCase();
    return allowed === `${full}:${port}` || (exactly === "host-or-port" && (allowed === full || allowed === name));
  });
}

function portOf(url: URL): number {
  return url.port === "" ? (url.protocol === "https:" ? 443 : 80) : Number(url.port);
}

export function privateAddress(host: string, address: string): FetchError {
  return new FetchError(
    "refused",
    "private-address",
    `safeFetch: expected a host of the public internet, got ${JSON.stringify(host)}${host === address ? "" : ` at ${address}`}; privateHosts names those that may be asked`,
  );
}
