import { memoryBroker } from '../src/index.ts';
import { busConformance } from './conformance.ts';

const broker = memoryBroker();
busConformance('memory', () => broker);
