/** Why the server cannot listen, for people. */

/** The server cannot listen; `message` says what was tried and what to do. */
export class ListenError extends Error {
  override readonly name = 'ListenError';

  /** @param cause the error of the operating system, or of the name look-up. */
  constructor(
    host: string,
    port: number,
    override readonly cause: unknown,
  ) {
    super(explain(host, port, cause));
  }
}

function explain(host: string, port: number, cause: unknown): string {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  switch (code) {
    case 'EADDRINUSE':
      return `Port ${port} on ${host} is already in use. Stop the other program or set PORT.`;
    case 'EACCES':
      return `No permission to listen on port ${port} of ${host}. Set PORT to 1024 or above.`;
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `The host name ${host} cannot be resolved. Set HOST to an address of this machine.`;
    case 'EADDRNOTAVAIL':
    case 'EAFNOSUPPORT':
      return `The address ${host} does not belong to this machine. Set HOST to one that does, or to 0.0.0.0.`;
    default:
      return `Cannot listen on port ${port} of ${host}: ${cause instanceof Error ? cause.message : cause}`;
  }
}
