import { defineProvider } from '../src/core/provider.ts';

/** A provider `p` for work that only chooses among targets: nobody asks it. */
export const unasked = defineProvider({
  name: 'p',
  protocols: [],
  handlers: {
    chat: async () => {
      throw new Error('simulated');
    },
  },
});
