import type { Command } from 'commander';
import { findModelFolder } from '../../catalog/model-package.ts';
import type { Config } from '../../config/schema.ts';
import { type Inspection, inspectLicenses } from '../../licensing/inspection.ts';
import type { LicensedService } from '../../licensing/judge-license.ts';
import { type LicenseSources, openLicenseSources } from '../../licensing/sources.ts';
import { loadLocalConfig } from '../local-config.ts';
import { readManifest } from '../models/manifest-file.ts';

export interface LocalLicenses {
  readonly config: Config;
  readonly sources: LicenseSources;
  inspect(): Promise<Inspection>;
}

/** The licences of this host, by the configuration that the server would have. */
export async function openLocalLicenses(command: Command): Promise<LocalLicenses> {
  const { config } = loadLocalConfig(command);
  const sources = await openLicenseSources(config);
  const services = await Promise.all(
    config.services.map(async (service): Promise<LicensedService> => {
      const { deployName, model, device } = service;
      const manifest = await readManifest(findModelFolder(config.modelsDir, model));
      return {
        deployName,
        model: manifest.ok ? manifest.value.name : undefined,
        // With "auto" only the running server knows.
        device: device === 'auto' ? undefined : device,
      };
    }),
  );
  return { config, sources, inspect: () => inspectLicenses(sources, services) };
}
