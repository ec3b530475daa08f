/** What would your users see? A gateway as you would run it, taken through failures of its first provider. */
import { createGateway } from 'postern';
import { drill, fakeClock } from 'postern/testing';

const clock = fakeClock();
const make = () => createGateway({ models: { default: ['openai/gpt-5-mini', 'anthropic/claude-haiku-4-5'] }, clock });

const report = await drill(make, { clock, only: (id) => /^(status|cut|hang)/.test(id) });
console.log(String(report));
console.log(`${report.answered} answered, ${report.failed} failed`);
