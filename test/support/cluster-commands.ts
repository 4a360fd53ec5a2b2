/** `kubectl` and `helm` against a cluster of the tests, while this process goes on. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname } from 'node:path';

const LIMIT_MILLISECONDS = 300_000;

export interface CommandResult {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  /** For its standard input. */
  readonly input?: string;
  /** Further statuses that are no failure, as that of `kubectl diff` for a difference. */
  readonly accept?: readonly number[];
}

/** @throws Error with what it wrote, if it fails, or if it or the API server warns: of fields, of versions, of Pod Security */
export type ClusterCommand = (
  program: 'kubectl' | 'helm',
  parameters: readonly string[],
  options?: CommandOptions,
) => Promise<CommandResult>;

/** @param kubeconfig its path. */
export function clusterCommand(kubeconfig: string): ClusterCommand {
  return async (program, parameters, { input = '', accept = [] } = {}) => {
    const child = spawn(program, parameters, {
      // Both keep caches in the home.
      env: { PATH: process.env.PATH, HOME: dirname(kubeconfig), KUBECONFIG: kubeconfig },
      timeout: LIMIT_MILLISECONDS,
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    child.stdin.end(input);
    const [status] = (await once(child, 'close')) as [number | null];
    const failed = status !== 0 && !(status !== null && accept.includes(status));
    if (failed || warningsOf(stderr).length > 0) {
      throw new Error(`${program} ${parameters.join(' ')}: status ${status}\n${stderr}\n${stdout}`);
    }
    return { status, stdout, stderr };
  };
}

/**
 * What `kubectl delete` says of every folder with both kinds of objects, and what Helm 4 may say of the watches that it ends once all is
 * ready.
 */
const HARMLESS =
  /deleting cluster-scoped resources, not scoped to the provided namespace|"Unexpected error when reading response body" err="context canceled"/;

/** Lines of `kubectl`, and those of klog in `helm`. */
function warningsOf(stderr: string): string[] {
  const lines = stderr.split('\n').filter((line) => !HARMLESS.test(line));
  return lines.filter((line) => /\bwarning\b/i.test(line) || /^[WE]\d{4} /.test(line));
}
