import type { EdgeInferServer } from '../../compose/server.ts';
import type { ServiceStatus } from '../../inference/service-status.ts';
import { licenseStates } from '../../licensing/states.ts';
import { isServed, type LicenseDecision, leftDays } from '../../licensing/verdict.ts';
import { count } from '../count.ts';

/** What is read of the server. */
type Served = Pick<
  EdgeInferServer,
  'services' | 'hangs' | 'licenses' | 'addressWarnings' | 'configuration'
>;

/**
 * How the server stands, in one line for `systemctl status`: what is wrong first, then what is
 * served, on what, by which licence.
 */
export function describeStatusLine(
  { services, hangs, licenses, addressWarnings, configuration }: Served,
  version: string,
): string {
  const all = [...services.values()].map((service) => service.status());
  const inState = (state: ServiceStatus['state']) => all.filter((one) => one.state === state);
  const ready = inState('ready');
  const decisionOf = ({ deployName }: ServiceStatus) => licenses.findDecision(deployName);
  const refused = ready.filter((one) => isRefused(decisionOf(one)));
  const served = ready.filter((one) => !refused.includes(one));
  const reasons = (some: readonly ServiceStatus[]) =>
    some.map(({ deployName, problems }) => `${deployName}: ${problems.join('; ')}`);
  return [
    ...list('Hung', hangs),
    ...list('Not ready', reasons(inState('failed'))),
    ...list(
      'Refused',
      refused.map((one) => `${one.deployName}: ${describeRefusal(decisionOf(one))}`),
    ),
    ...list('Loading', inState('loading').map(nameService)),
    ...list('Ready', served.map(nameService)),
    ...new Set(served.map((one) => describeLicense(decisionOf(one)))),
    ...addressWarnings,
    ...list('Configuration', configuration.problems),
    `version ${version}`,
  ].join(' · ');
}

function list(title: string, items: readonly string[]): string[] {
  return items.length === 0 ? [] : [`${title}: ${items.join(', ')}`];
}

function nameService({ deployName, model, session }: ServiceStatus): string {
  const facts = [model?.name, session?.device].filter((fact) => fact !== undefined);
  return facts.length === 0 ? deployName : `${deployName} (${facts.join(', ')})`;
}

function isRefused(decision: LicenseDecision | undefined): boolean {
  return decision !== undefined && !isServed(decision);
}

function describeRefusal(decision: LicenseDecision | undefined): string {
  return decision === undefined ? '' : `${decision.state}, ${decision.detail}. ${decision.remedy}`;
}

function describeLicense(decision: LicenseDecision | undefined): string {
  if (decision === undefined) {
    return 'licence being checked';
  }
  const { state, kind = 'licence' } = decision;
  const days = leftDays(decision);
  return [
    kind === 'permanent' ? 'permanent licence' : kind,
    ...(days === undefined ? [] : [`${count(days, 'day')} left`]),
    ...(licenseStates[state].class === 'warning' ? [`${state}, ${decision.detail}`] : []),
  ].join(', ');
}
