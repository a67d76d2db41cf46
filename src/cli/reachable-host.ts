/** Where a client on this host reaches a server that listens on `host`, as it stands in a URL. */
export function reachableHost(host: string): string {
  if (host === '0.0.0.0' || host === '::') {
    return '127.0.0.1';
  }
  return host.includes(':') ? `[${host}]` : host;
}
