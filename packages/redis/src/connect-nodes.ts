import type { Cluster, Redis } from 'ioredis';

/** ioredis's check of a Cluster that it is about to call ready. */
interface ReadyCheck {
  readyCheck(report: (error?: Error | null, reason?: string) => void): void;
}

const nothing = (): void => {};

/**
 * Connects every node of a Cluster as soon as it is known, and lets the Cluster be ready only when its masters are, or
 * have failed, or `withinMs` has passed. By itself ioredis connects a node for its first command, and rejects those that
 * follow until then, as there is no offline queue.
 */
export function connectNodes(client: Cluster, withinMs: number, answerMs: number): void {
  client.on('+node', (node: Redis) => {
    node.connect().catch(nothing);
  });
  const cluster = client as unknown as ReadyCheck;
  const check = cluster.readyCheck.bind(client);
  cluster.readyCheck = (report) => {
    void Promise.all(client.nodes('master').map((node) => settled(node, withinMs))).then(() => {
      // The node that is asked for the Cluster's state may be frozen or gone; that masters are connected has to do then.
      const timer = setTimeout(reportOnce, answerMs);
      timer.unref();
      let reported = false;
      function reportOnce(error?: Error | null, reason?: string): void {
        clearTimeout(timer);
        if (reported) return;
        reported = true;
        const usable = client.nodes('master').some((node) => node.status === 'ready');
        report(usable ? null : error, reason);
      }
      check(reportOnce);
    });
  };
}

/** Waits until a connection is ready or has failed. */
function settled(node: Redis, withinMs: number): Promise<void> {
  if (node.status === 'ready' || node.status === 'end') return Promise.resolve();
  return new Promise((resolve) => {
    const settle = (): void => {
      clearTimeout(timer);
      node.off('ready', settle);
      node.off('end', settle);
      resolve();
    };
    const timer = setTimeout(settle, withinMs);
    timer.unref();
    node.on('ready', settle);
    node.on('end', settle);
  });
}
