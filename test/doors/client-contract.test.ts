import Anthropic from '@anthropic-ai/sdk';
import AnthropicPrevious from 'anthropic-previous';
import OpenAI from 'openai';
import OpenAiPrevious from 'openai-previous';
import { describe, it } from 'vitest';
import { createGateway } from '../../src/index.ts';
import { clientContract, type ClientSubject } from '../../src/testing/client-contract.ts';

const SUBJECTS: Readonly<Record<string, Pick<ClientSubject, 'sdk' | 'Class'>>> = {
  'openai 7': { sdk: 'openai', Class: OpenAI },
  'openai 6': { sdk: 'openai', Class: OpenAiPrevious },
  '@anthropic-ai/sdk 1': { sdk: 'anthropic', Class: Anthropic },
  '@anthropic-ai/sdk 0': { sdk: 'anthropic', Class: AnthropicPrevious },
};

for (const [name, subject] of Object.entries(SUBJECTS)) {
  describe(`${name}, bare (the control)`, () => {
    for (const { name: title, run } of clientContract(subject)) it(title, run);
  });
  for (const [kind, gateway] of [
    ['the standard gateway', createGateway()],
    ['an empty gateway', createGateway({ use: [] })],
  ] as const) {
    describe(`P05: ${name}, wrapped by ${kind}`, () => {
      const wrap = <C extends object>(client: C): C => gateway.wrap(client);
      for (const { name: title, run } of clientContract({ ...subject, wrap })) it(title, run);
    });
  }
}
