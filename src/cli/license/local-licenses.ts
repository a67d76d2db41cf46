import type { Command } from 'commander';
import type { Manifest } from '../../catalog/manifest.ts';
import { findModelFolder } from '../../catalog/model-package.ts';
import { chooseVariant, type VariantPreference } from '../../catalog/variants.ts';
import type { Config, ServiceConfig } from '../../config/schema.ts';
import { type Inspection, inspectLicenses } from '../../licensing/inspection.ts';
import type { LicensedService } from '../../licensing/judge-license.ts';
import { type LicenseSources, openLicenseSources } from '../../licensing/sources.ts';
import { licenseStates } from '../../licensing/states.ts';
import { readCpuFeatures } from '../../platform/cpu-features.ts';
import { hasCudaProvider } from '../../platform/cuda-provider.ts';
import { loadLocalConfig } from '../local-config.ts';
import { readManifest } from '../models/manifest-file.ts';
import {
  askRunningServer,
  findAdminAddress,
  isHeldForStopped,
  type ReportedService,
  type ServerReport,
} from '../running-server.ts';
import { runProgram } from '../units/run-program.ts';
import { readUnits, type UnitName } from '../units/units.ts';

/** A server on this host answers from memory; something else may be listening there. */
const PATIENCE_MS = 1_000;

export interface LocalLicenses {
  readonly config: Config;
  readonly sources: LicenseSources;
  /** Looks at what lies here, with what the running server says of its devices. */
  inspect(): Promise<LocalInspection>;
  /** Asks the server that has these licences; undefined where none is running. */
  askServer(): Promise<ServerReport | undefined>;
}

export interface LocalInspection extends Inspection {
  readonly server: ServerReport | undefined;
}

/** The licences of this host, by the configuration that the server would have. */
export async function openLocalLicenses(command: Command): Promise<LocalLicenses> {
  const { config } = loadLocalConfig(command);
  const sources = await openLicenseSources(config);
  const services = await listLicensedServices(config);

  async function askServer(): Promise<ServerReport | undefined> {
    const units = await readUnits(runProgram);
    const unit = (name: UnitName) => (units.ok ? units.value.get(name) : undefined);
    if (isHeldForStopped(unit)) {
      return undefined;
    }
    const report = await askRunningServer(findAdminAddress(unit, config.admin), PATIENCE_MS);
    return report.ok && isOurs(report.value, config) ? report.value : undefined;
  }

  return {
    config,
    sources,
    askServer,
    async inspect() {
      const server = await askServer();
      const known = services.map((service) => ({
        ...service,
        device: service.device ?? findReport(server, service.deployName)?.device,
      }));
      return { ...(await inspectLicenses(sources, known)), server };
    },
  };
}

/** Whether a server has these licences, and is of a release whose states are known here. */
function isOurs({ licenseFolder, services }: ServerReport, { license }: Config): boolean {
  return (
    licenseFolder === license.dir &&
    services.every((service) => Object.hasOwn(licenseStates, service.license.state))
  );
}

/** What a licence is asked for, by the files of the models. */
export function listLicensedServices(config: Config): Promise<LicensedService[]> {
  return Promise.all(config.services.map((service) => describeService(service, config)));
}

/** What a server says of a service. */
export function findReport(
  server: ServerReport | undefined,
  deployName: string,
): ReportedService | undefined {
  return server?.services.find((service) => service.deployName === deployName);
}

/** The device is left open where only a server that has loaded the model knows it. */
async function describeService(
  { deployName, model, device, variant }: ServiceConfig,
  { modelsDir }: Config,
): Promise<LicensedService> {
  const read = await readManifest(findModelFolder(modelsDir, model));
  const manifest = read.ok ? read.value : undefined;
  const isOpen = device === 'auto' && (await mayTakeGpu(manifest, variant));
  return {
    deployName,
    model: manifest?.name,
    device: isOpen ? undefined : device === 'auto' ? 'cpu' : device,
  };
}

/** Whether `auto` would try the graphics card. */
async function mayTakeGpu(
  manifest: Manifest | undefined,
  variant: VariantPreference,
): Promise<boolean> {
  if (manifest === undefined || !hasCudaProvider()) {
    return hasCudaProvider();
  }
  const host = {
    device: 'auto',
    hasCudaProvider: true,
    cpuFeatures: await readCpuFeatures(),
  } as const;
  const chosen = chooseVariant(manifest, variant, host);
  return !(chosen.ok && chosen.value.needs.device === 'cpu');
}
