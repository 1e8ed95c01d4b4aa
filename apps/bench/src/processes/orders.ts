import type { Reply } from '../child-process.ts';

/** Answers the orders of the process that started this one, and ends with it. */
export function answerOrders<Order extends object, Answer>(carryOut: (order: Order) => Promise<Answer>): void {
  const reply = (message: Reply<Answer>): void => void process.send?.(message);
  process.on('message', (order: Order) => {
    carryOut(order).then(
      (answer) => reply({ answer }),
      (error: Error) => reply({ fault: error.message }),
    );
  });
  process.on('disconnect', () => process.exit());
}
