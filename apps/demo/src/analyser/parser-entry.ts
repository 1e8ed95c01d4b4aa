import { analyseSource } from './analyse-source.ts';

// Ctrl-C reaches the whole process group; the parent decides when this process ends.
process.on('SIGINT', () => undefined);
process.once('disconnect', () => process.exit(0));
process.on('message', ({ name, text }: { name: string; text: string }) => {
  process.send?.(analyseSource(name, text));
});
