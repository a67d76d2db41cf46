/**
 * Finds the service that a decoded path segment names. Clients write a letter with its accent
 * composed or apart; both mean one service.
 */
export function findService<Service>(
  services: ReadonlyMap<string, Service>,
  segment: string,
): Service | undefined {
  const exact = services.get(segment);
  if (exact !== undefined) {
    return exact;
  }
  const composed = segment.normalize('NFC');
  for (const [deployName, service] of services) {
    if (deployName.normalize('NFC') === composed) {
      return service;
    }
  }
  return undefined;
}
