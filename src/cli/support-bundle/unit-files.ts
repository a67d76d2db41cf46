/**
 * `systemctl cat` without what the operator's own drop-ins give to the service in confidence: of
 * its environment only this program's settings stay.
 */
export function hideUnitSecrets(text: string): string {
  return text
    .split('\n')
    .map((line) => {
      const [, key = '', value = ''] = /^\s*(\w+)\s*=(.*)$/.exec(line) ?? [];
      if (key === 'Environment') {
        return `${key}=${hideValues(value)}`;
      }
      return /^(SetCredential|SetCredentialEncrypted|LoadCredential\w*)$/.test(key)
        ? `${key}=[value]`
        : line;
    })
    .join('\n');
}

/** Assignments, each perhaps in quotes as a whole, in which there may be spaces. */
function hideValues(assignments: string): string {
  const each = /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|\S+/g;
  return assignments.replace(each, (assignment) => {
    const [, name = ''] = /^["']?(\w+)=/.exec(assignment) ?? [];
    const isOwn = name.startsWith('EDGE_INFER_') && !name.includes('VENDOR');
    return isOwn ? assignment : `${name}=[value]`;
  });
}
