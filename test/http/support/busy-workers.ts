import type { ImageService } from '../../../src/inference/service.ts';
import type { TestServer } from '../../support/server.ts';

export function imagenetOf({ server }: Pick<TestServer, 'server'>): ImageService {
  const service = server.services.get('imagenet');
  if (service === undefined) {
    throw new Error('the default configuration has a service named imagenet');
  }
  return service;
}

/**
 * Takes one worker of a service, as a request would, until the returned function is called: what
 * arrives meanwhile waits for exactly as long as the test wants.
 */
export async function occupyWorker(service: ImageService): Promise<() => void> {
  const ticket = service.admit();
  if (!ticket.ok) {
    throw new Error(ticket.error.detail);
  }
  const refused = await ticket.value.waitForWorker(new AbortController().signal);
  if (refused !== undefined) {
    throw new Error(refused.detail);
  }
  return () => ticket.value.close();
}
