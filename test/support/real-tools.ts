/**
 * Programs and files that some tests need and not every machine has: those on the PATH, and those that `scripts/tools/install` has
 * installed. Loading this file puts the latter on the PATH of the tests, and of all that they start: at its end, or in
 * front where `PROMETHEUS_RELEASE=newest` asks for them.
 */

import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { Context } from 'mocha';

const TOOLS = 'scripts/tools';
const INSTALL = `${TOOLS}/install`;

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Where each line of the versions is installed, whether it is there or not: name to folder.
 *
 * @param versions the text of `scripts/tools/versions.txt`.
 * @param read gives the text of a `go.mod` that has the version instead, by its path in the folder of that file.
 */
export function foldersOfTools(
  versions: string,
  environment: Environment,
  read = (path: string) => readFileSync(join(TOOLS, path), 'utf8'),
): ReadonlyMap<string, string> {
  const cache = environment.XDG_CACHE_HOME || join(homedir(), '.cache');
  const tools = environment.K8S_ANOMALY_TOOLS || join(cache, 'k8s-anomaly-detector', 'tools');
  return new Map(
    [...versions.matchAll(/^([a-z]\S*) +(\S+) +(\S+)/gm)].map(([, name = '', module = '', pinned = '']) => {
      const version = pinned.endsWith('/go.mod') ? versionOf(module, read(pinned), pinned) : pinned;
      return [name, join(tools, `${name}-${version}`)];
    }),
  );
}

/** The version that a `go.mod` requires of a module. @throws Error if it does not */
function versionOf(module: string, text: string, path: string): string {
  const [, version] =
    text
      .split('\n')
      .map((line) => line.trim().split(' '))
      .find(([name]) => name === module) ?? [];
  if (version === undefined) throw new Error(`Expected ${path} to require ${module}, but it does not.`);
  return version;
}

/** Whether the tests are to run on the releases that are pinned, instead of those on the PATH. */
export function wantsNewest({ PROMETHEUS_RELEASE: release = '' }: Environment): boolean {
  if (release !== '' && release !== 'newest') {
    throw new Error(`Expected PROMETHEUS_RELEASE to be newest or not set, got ${release}.`);
  }
  return release === 'newest';
}

const folders = foldersOfTools(readFileSync(`${TOOLS}/versions.txt`, 'utf8'), process.env);
/** Which of both the tests run on, if both are there. */
export const ON_NEWEST_RELEASE = wantsNewest(process.env);

const path = process.env.PATH ?? '';
const installed = [...folders.values()].filter((folder) => existsSync(folder));
process.env.PATH = (ON_NEWEST_RELEASE ? [...installed, path] : [path, ...installed]).join(delimiter);

/** Why a program cannot be run; `undefined` if it can. */
function problemOf(name: string): string | undefined {
  const folder = folders.get(name);
  // Another release must not stand in for the one that is asked for.
  if (ON_NEWEST_RELEASE && folder !== undefined && !existsSync(folder)) return `${folder} does not exist`;
  return spawnSync(name, ['--version'], { timeout: 10_000 }).error?.message;
}

/**
 * Lets a test go on where the program is there. Elsewhere the test is skipped, and says so; but on a build server (`CI`
 * is set) it fails, since a check that nobody runs is none.
 *
 * @param context the test: `this` in a `function`.
 * @param name the program: `promtool`.
 */
export function requireTool(context: Pick<Context, 'skip'>, name: string): void {
  const problem = problemOf(name);
  if (problem !== undefined) skip(context, name, `${name} cannot be run (${problem})`);
}

/**
 * As `requireTool`, for files that are read and not run.
 *
 * @returns the folder with the files.
 */
export function requireFiles(context: Pick<Context, 'skip'>, name: string): string {
  const folder = join(folders.get(name) ?? '', name);
  if (!existsSync(folder)) skip(context, name, `${folder} does not exist`);
  return folder;
}

function skip(context: Pick<Context, 'skip'>, name: string, missing: string): void {
  if (process.env.CI) throw new Error(`Expected the build server to have ${name}, but ${missing}.`);
  const how = folders.has(name) ? `${INSTALL} ${name}` : 'Install it';
  console.warn(`SKIPPED: ${missing}. To run this test: ${how}`);
  context.skip();
}
