// Rules for the browser's code and its tests: those that find mistakes. Types are checked by tsc (tsconfig.json).

import js from '@eslint/js';
import globals from 'globals';

const MARKUP = 'Text from users reaches the page through textContent only.';

export default [
  { ignores: ['node_modules/', '.venv/', 'data/'] },
  js.configs.recommended,
  {
    languageOptions: { ecmaVersion: 2023, sourceType: 'module' },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      'array-callback-return': ['error', { allowImplicit: true, checkForEach: false }],
      'consistent-return': ['error', { treatUndefinedAsUnspecified: true }],
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'max-lines': ['error', 300],
      'no-console': 'error',
      'no-constructor-return': 'error',
      'no-eval': 'error',
      'no-implied-eval': 'error',
      'no-promise-executor-return': 'error',
      'no-restricted-properties': ['error', ...['innerHTML', 'outerHTML', 'insertAdjacentHTML', 'write'].map(
        (property) => ({ property, message: MARKUP }))],
      'no-self-compare': 'error',
      'no-shadow': 'error',
      'no-template-curly-in-string': 'error',
      'no-unmodified-loop-condition': 'error',
      'no-unreachable-loop': 'error',
      'no-unused-expressions': 'error',
      'no-use-before-define': ['error', { functions: false }],
      'no-var': 'error',
      'prefer-const': 'error',
      'require-atomic-updates': 'error',
    },
  },
  { files: ['assets/**'], languageOptions: { globals: globals.browser } },
  { files: ['tests/**'], languageOptions: { globals: globals.nodeBuiltin } },
];
