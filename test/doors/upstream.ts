export * from '../../src/testing/client-contract/upstream.ts';
