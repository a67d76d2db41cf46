import { defaultText } from './flags.ts';
import { describeKeys, type KeyNode, type KeyPath, listValues, type SectionKey } from './keys.ts';
import { flagName, variableName } from './names.ts';

/** A file that works when it is pasted; a test loads it. */
export const exampleYaml = `# Requests from every network; administration from this host only.
host: 0.0.0.0
port: 24401
admin:
  port: 24402

# Relative to this file's folder. Models are taken from the program's own folder.
stateDir: ./state

# For every service that does not say otherwise.
device: auto
deadlineMs: 5000
queue:
  maxRequests: 128
  maxBytes: 256MiB

services:
  - deployName: imagenet
    model: efficientnet-lite0
    variant: auto
  - deployName: imagenet-patient
    model: efficientnet-lite0
    device: cpu
    workers: 2
    deadlineMs: 60000

http:
  statusCodes: compatible
  corsOrigin: https://panel.example:8443

log:
  level: info
  format: json
`;

/** The reference of every key as Markdown; `src/config/README.md` is exactly this text. */
export function formatReference(): string {
  const keys = describeKeys();
  return `${intro}\n${formatTables(keys)}`;
}

const intro = `# Configuration

This page is printed by \`config reference\`, which reads it off \`schema.ts\`.

A value is looked for in this order; the first found counts:

1. a flag, \`--http.status-codes semantic\`
2. an environment variable, \`EDGE_INFER_HTTP__STATUS_CODES=semantic\`
3. the file: \`--config\`, else \`EDGE_INFER_CONFIG\`, else \`./edge-infer.yaml\` if there is one
4. the default

Good to know:

- A dot in a flag and a double underscore in a variable go into a section or a list:
  \`--services.0.device cpu\`, \`EDGE_INFER_SERVICES__0__DEVICE=cpu\`. The index after the last one adds an entry.
- An empty variable counts as not set. An \`EDGE_INFER_*\` variable that is no key is a mistake.
- A service takes what it leaves out from the top level. By the order above, a flag or variable at the
  top level (\`--device cpu\`) also counts before what the **file** says of one service.
- Relative paths start at the file's folder when they stand in the file, at the working directory when they
  come from a flag or a variable, and at the program's folder when they are defaults.
- Times are milliseconds. Sizes are bytes or text with a unit: kB, MB, GB are powers of 1000, KiB, MiB, GiB of 1024.
- The file is YAML 1.2, UTF-8, one document, at most 1 MiB. An empty file means all defaults.
- \`config check\` lists every mistake at once and exits with 78; \`config show\` prints what is in effect and where each
  value came from. A value that another one overrules is not checked.

## Example

\`\`\`yaml
${exampleYaml}\`\`\`
`;

function formatTables(keys: SectionKey): string {
  const top = [...keys.children].filter(([, node]) => node.kind === 'value');
  const sections = [...keys.children].filter(([, node]) => node.kind !== 'value');
  return [
    formatTable('Top level', '', top),
    ...sections.map(([name, node]) => formatTable(`\`${name}\``, node.help.help, [[name, node]])),
  ].join('\n');
}

function formatTable(
  title: string,
  help: string,
  nodes: readonly (readonly [string, KeyNode])[],
): string {
  const rows = nodes
    .flatMap(([name, node]) => listValues(node, 0, [name]))
    .map(({ path, key }) => [
      `\`${pathWithoutIndex(path)}\``,
      formatDefault(path, defaultText(key), key.isOptional),
      key.expected,
      `\`${variableName(path)}\``,
      `\`--${flagName(path)}\``,
      key.help.help,
    ]);
  const list = nodes.find(([, node]) => node.kind === 'list')?.[1];
  const listDefault =
    list?.kind === 'list'
      ? `It is ${list.expected}; the default is \`${JSON.stringify(list.defaultValue)}\`.`
      : '';
  const text = [help, listDefault].filter((each) => each !== '').join(' ');
  return [
    `## ${title}`,
    '',
    ...(text === '' ? [] : [text, '']),
    ...formatRows([['Key', 'Default', 'Accepts', 'Variable', 'Flag', 'Meaning'], ...rows]),
    '',
  ].join('\n');
}

function formatDefault(path: KeyPath, text: string, isOptional: boolean): string {
  if (text !== '') {
    return `\`${text}\``;
  }
  if (!isOptional) {
    return 'required';
  }
  const ofAll = path.slice(2).join('.');
  return ofAll === '' ? 'see meaning' : `that of \`${ofAll}\``;
}

function pathWithoutIndex(path: KeyPath): string {
  return path
    .map((segment, index) =>
      typeof segment === 'number' ? '[]' : `${index === 0 ? '' : '.'}${segment}`,
    )
    .join('');
}

/** A Markdown table with its columns aligned, as the formatter of this repository wants it. */
function formatRows(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  const [head = '', ...body] = rows.map(
    (row) => `| ${widths.map((width, column) => (row[column] ?? '').padEnd(width)).join(' | ')} |`,
  );
  return [head, `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`, ...body];
}
