import { runTool } from './tool.ts';

/** What an archive is built from. */
export interface Source {
  /** Absolute path of the working tree. */
  readonly root: string;
  readonly commit: string;
  /** Seconds since 1970: the commit's, which stands for the time of the build. */
  readonly commitTime: number;
  /** Whether the working tree holds anything that the commit does not. */
  readonly isDirty: boolean;
  /** Paths under `root` of all files that git knows, sorted. */
  readonly files: readonly string[];
}

/** Throws an OperatorError where `root` is no working tree of git. */
export async function readSource(root: string): Promise<Source> {
  const [head = '', status, files] = await Promise.all([
    runTool('git', ['log', '-1', '--format=%H %ct'], root),
    runTool('git', ['status', '--porcelain'], root),
    runTool('git', ['ls-files', '-z'], root),
  ]);
  const [commit = '', commitTime] = head.trim().split(' ');
  return {
    root,
    commit,
    commitTime: Number(commitTime),
    isDirty: status !== '',
    files: files.split('\0').filter((path) => path !== ''),
  };
}
