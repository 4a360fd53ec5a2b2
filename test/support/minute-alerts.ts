import type { Alert, AlertName } from '../../src/tools/replay/alerts.js';

/**
 * An alert about a subject of the namespace `shop`: a workload (`cart`), a pod (`cart-0`), or the fleet (empty).
 *
 * @param from when it begins to fire, in minutes.
 * @param to when it ends, in minutes.
 * @param open whether it is still on by then.
 */
export function minuteAlert(name: AlertName, subject: string, from: number, to: number, open = false): Alert {
  const [workload = '', replica] = subject.split('-');
  return {
    name,
    namespace: workload === '' ? '' : 'shop',
    workload,
    pod: replica === undefined ? '' : subject,
    startSeconds: 60 * from,
    heldUntilSeconds: 60 * to,
    endSeconds: 60 * to,
    open,
  };
}
