/** What a client authenticates with and trusts: secrets and certificates, renewed when their files change. */

import type * as https from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { readBoundedText, UnreadableFileError } from '../../lib/files/bounded-file.js';
import { WatchedFile } from '../../lib/files/watched-file.js';
import type { PrometheusConnection, RenewableText } from './connection.js';
import { credentialSecrets, fixedSecretsOf } from './redaction.js';
import { ServerTexts } from './server-texts.js';
import { certificateMistake, createHttpsAgent, keyPairMistake, type TlsMaterial } from './tls.js';
import { type Credentials, parseBaseUrl } from './url.js';

/** What one request is sent with. */
export interface RequestCredentials {
  /** The header `Authorization`, if there is one. */
  readonly authorization: string | undefined;
  readonly httpsAgent: https.Agent;
  /** For what the server says, which may repeat any of the secrets. */
  readonly texts: ServerTexts;
}

/** A hanging file system must not hold up a scrape: after this time the request is sent with what is known. */
const LOOK_LIMIT_MILLISECONDS = 250;

export class RenewableCredentials {
  readonly #connection: PrometheusConnection;
  readonly #onWarning: (sentence: string) => void;
  readonly #watched: Readonly<
    Record<'secret' | 'ca' | 'cert' | 'key', Pick<WatchedFile<string>, 'current'> | undefined>
  >;
  /** Those with a file. */
  readonly #files: readonly WatchedFile<string>[];
  readonly #fixedSecrets: readonly string[];
  readonly #tunneledHost: string | undefined;
  #current: RequestCredentials;
  #secret: string;
  #material: TlsMaterial;

  /** @param onWarning called for each file that cannot be used any more; its last valid content stays in use. */
  constructor(connection: PrometheusConnection, onWarning: (sentence: string) => void) {
    const { authentication, proxyUrl, tls } = connection;
    this.#connection = connection;
    this.#onWarning = onWarning;
    const watch = (text: RenewableText | undefined, mistakeOf: (text: string) => string | undefined) =>
      text === undefined ? undefined : watchText(text, mistakeOf, onWarning);
    this.#watched = {
      secret: watch(
        authentication?.kind === 'basic' ? authentication.password : authentication?.token,
        authentication?.kind === 'basic' ? passwordMistake : tokenMistake,
      ),
      ca: watch(tls.ca, certificateMistake),
      cert: watch(tls.cert, certificateMistake),
      key: watch(tls.key, () => undefined),
    };
    this.#files = Object.values(this.#watched).filter((text) => text instanceof WatchedFile);
    const proxy = proxyUrl === undefined ? undefined : parseBaseUrl(proxyUrl).credentials;
    this.#fixedSecrets = [...fixedSecretsOf(connection), ...credentialSecrets(proxy)];
    this.#secret = this.#watched.secret?.current ?? '';
    this.#material = this.#read();
    this.#tunneledHost = proxyUrl === undefined ? undefined : new URL(connection.baseUrl).hostname;
    this.#current = this.#credentialsOf(createHttpsAgent(this.#material, tls, this.#tunneledHost));
  }

  /** The credentials as the files have them now; an invalid file leaves its last valid content. Does not reject. */
  async current(): Promise<RequestCredentials> {
    if (this.#files.length > 0) {
      const looked = Promise.all(this.#files.map((text) => text.refresh()));
      await Promise.race([looked, sleep(LOOK_LIMIT_MILLISECONDS, undefined, { ref: false })]);
      this.#renew();
    }
    return this.#current;
  }

  #read(): TlsMaterial {
    const { ca, cert, key } = this.#watched;
    return { ca: ca?.current, cert: cert?.current, key: key?.current };
  }

  #renew(): void {
    const { tls } = this.#connection;
    const secret = this.#watched.secret?.current ?? '';
    const material = this.#read();
    const sameMaterial = isDeepStrictEqual(material, this.#material);
    if (sameMaterial && secret === this.#secret) return;
    this.#secret = secret;
    let { httpsAgent } = this.#current;
    if (!sameMaterial) {
      // Looked at once for each change. While only one of the two files is new, they do not go together.
      this.#material = material;
      const mistake = keyPairMistake(material);
      if (mistake === undefined) {
        closeIdle(httpsAgent);
        httpsAgent = createHttpsAgent(material, tls, this.#tunneledHost);
      } else {
        this.#onWarning(
          `Client certificate not reloaded (${tls.cert?.file ?? 'the certificate'}, ` +
            `${tls.key?.file ?? 'the key'}): ${mistake}. Keeping the previous one.`,
        );
      }
    }
    this.#current = this.#credentialsOf(httpsAgent);
  }

  #credentialsOf(httpsAgent: https.Agent): RequestCredentials {
    const { authentication, baseUrl } = this.#connection;
    const credentials =
      authentication?.kind === 'basic'
        ? { username: authentication.username, password: this.#secret }
        : parseBaseUrl(baseUrl).credentials;
    const authorization =
      authentication?.kind === 'bearer' ? `Bearer ${this.#secret}` : credentials && basicHeader(credentials);
    const texts = new ServerTexts([...this.#fixedSecrets, this.#secret, ...credentialSecrets(credentials)]);
    return { authorization, httpsAgent, texts };
  }
}

function basicHeader({ username, password }: Credentials): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

/** The text, renewed whenever its file changes. A text without a file stays. */
function watchText(
  { text, file }: RenewableText,
  mistakeOf: (text: string) => string | undefined,
  onWarning: (sentence: string) => void,
): Pick<WatchedFile<string>, 'current'> {
  if (file === undefined) return { current: text };
  return new WatchedFile(text, {
    read: async () => {
      const renewed = (await readBoundedText(file)).trim();
      const mistake = mistakeOf(renewed);
      if (mistake !== undefined) throw new UnreadableFileError(file, mistake);
      return renewed;
    },
    filesOf: () => [file],
    onFailure: (reason) => onWarning(`${reason} Keeping the previous value.`),
  });
}

/** Why a text is no bearer token (RFC 6750, section 2.1, taken widely); `undefined` if it is one. */
function tokenMistake(text: string): string | undefined {
  return /^[\x21-\x7e]+$/.test(text) ? undefined : 'expected one word of ASCII characters, got another text';
}

/** Why a text is no password; `undefined` if it is one. */
function passwordMistake(text: string): string | undefined {
  return text === '' ? 'expected a password, got nothing' : undefined;
}

/** Connections that are in use stay until their answers have come. */
function closeIdle(agent: https.Agent): void {
  for (const sockets of Object.values(agent.freeSockets)) {
    for (const socket of sockets ?? []) socket.destroy();
  }
}
