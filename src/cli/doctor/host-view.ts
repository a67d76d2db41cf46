import { type ConfigSources, type LoadedConfig, tryLoadConfig } from '../../config/load.ts';
import type { ConfigProblem } from '../../config/problems.ts';
import type { Config } from '../../config/schema.ts';
import { err, type Result } from '../../core/result.ts';
import {
  type Address,
  askRunningServer,
  findAdminAddress,
  isHeldForStopped,
  type ServerReport,
} from '../running-server.ts';
import { readListenAddress } from '../units/listen-address.ts';
import { type RunProgram, runProgram } from '../units/run-program.ts';
import {
  ADMIN_SOCKET,
  readUnitEnvironment,
  readUnits,
  SERVICE_SOCKET,
  SERVICE_UNIT,
  type Unit,
  type UnitName,
} from '../units/units.ts';

/** What several checks look at, read once. */
export interface HostView {
  readonly isRoot: boolean;
  readonly runProgram: RunProgram;
  /** The configuration that the server has or would have. */
  readonly loaded: Result<LoadedConfig, readonly ConfigProblem[]>;
  /** Undefined where it has mistakes. */
  readonly config: Config | undefined;
  /** Names of settings that come from the unit's environment. */
  readonly unitSettings: readonly string[];
  /** Undefined where it is not installed. */
  unit(name: UnitName): Unit | undefined;
  /** Why systemd cannot be asked. */
  readonly systemdProblem: string | undefined;
  /** The addresses that are or should be open: a socket unit's where there is one. */
  readonly addresses: { readonly service: Address; readonly admin: Address };
  /** The running server; the error says why none is seen. */
  readonly server: Result<ServerReport, string>;
}

export async function viewHost(sources: ConfigSources): Promise<HostView> {
  const units = await readUnits(runProgram);
  const unit = (name: UnitName) => (units.ok ? units.value.get(name) : undefined);
  const ofUnit = readUnitEnvironment(unit(SERVICE_UNIT));
  const loaded = tryLoadConfig({ ...sources, env: { ...ofUnit, ...sources.env } });
  const config = loaded.ok ? loaded.value.config : undefined;
  const usual = {
    service: { host: '127.0.0.1', port: 24_401 },
    admin: { host: '127.0.0.1', port: 24_402 },
  };
  const configured = config === undefined ? usual : { service: config, admin: config.admin };
  const addresses = {
    service: readListenAddress(unit(SERVICE_SOCKET)) ?? configured.service,
    admin: findAdminAddress(unit, configured.admin),
  };
  return {
    isRoot: process.geteuid?.() === 0,
    runProgram,
    loaded,
    config,
    unitSettings: Object.keys(ofUnit),
    unit,
    systemdProblem: units.ok ? undefined : units.error,
    addresses,
    server: await findServer(),
  };

  async function findServer(): Promise<Result<ServerReport, string>> {
    if (isHeldForStopped(unit)) {
      return err('the service does not run');
    }
    return config === undefined && unit(ADMIN_SOCKET) === undefined
      ? err('the configuration, which has its address, has mistakes')
      : askRunningServer(addresses.admin);
  }
}
