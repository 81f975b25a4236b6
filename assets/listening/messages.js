// Types of the messages between the page and the server. Nothing runs here. The server's side of them is in
// ui/listening/rate_routes.py (bodies) and eval/listening/session/service.py (steps).

/** @typedef {string} Mode id of a kind of trial, see tasks/registry.js */
/** @typedef {{role: 'reference' | 'low' | 'mid' | 'take' | 'x', label: string, url: string}} Slot a sound of a trial, as far as it may be known; `take` is a stimulus under a letter, `low` and `mid` are open anchors */
/** @typedef {number | string | number[]} Answer a category, a choice, or a number per stimulus */
/** @typedef {{id: string, text: string, kind: 'choice' | 'text', choices: string[]}} Question */

/** @typedef {{code?: string, url?: string, host?: string, fields?: Record<string, string> | null}} WayBack to a recruiting platform: a link, or a form with `fields` */

/** @typedef {{step: 'welcome', study: {name: string, mode: Mode, about: string, trials: number, minutes: number, owner?: string, contact?: string}, durable: boolean, preview?: boolean}} WelcomeStep `preview`: shown by a platform to somebody who has not accepted the task */
/** @typedef {{step: 'volume', url: string, sample_rate?: number}} VolumeStep */
/** @typedef {{step: 'headphones', rounds: string[][]}} HeadphonesStep addresses of three tones per round */
/** @typedef {{step: 'instructions', mode: Mode, need?: number, attention?: boolean, restart_on_switch?: boolean}} InstructionsStep */
/** @typedef {{step: 'questionnaire', questions: Question[], required?: boolean, between?: boolean}} QuestionnaireStep `between`: trials follow */
/** @typedef {{step: 'done'} & WayBack} DoneStep */
/** @typedef {{step: 'closed' | 'forgotten' | 'quota_full' | 'screened_out', stored?: boolean} & WayBack} EndStep `stored`: there is something of this listener to delete */

/** @typedef {{step: 'privacy', name: string, owner: string, contact: string, keep_days: number | null, platform: string | null}} PrivacyStep */

/**
 * @typedef {object} TrialStep
 * @property {'trial'} step
 * @property {Mode} mode
 * @property {boolean} training
 * @property {boolean} [attention] whether the study has attention checks
 * @property {string} nonce of this trial; an answer with it counts once
 * @property {number} number of the trial, from 1
 * @property {number} of trials
 * @property {number} sample_rate Hz
 * @property {number} need s that have to be heard of each slot
 * @property {Slot[]} slots
 * @property {boolean} [comments] whether there is a box for a comment
 * @property {boolean} [restart_on_switch] whether another sound begins at its start
 * @property {boolean} [lock_sliders] whether only the slider of the present sound moves
 */

/**
 * What a call is answered with: the next step. Joining a study also brings the rater's token, joining and opening it the
 * language of the session.
 *
 * @typedef {(WelcomeStep | VolumeStep | HeadphonesStep | InstructionsStep | TrialStep | QuestionnaireStep | DoneStep
 *   | PrivacyStep | EndStep) & {token?: string, language?: string}} Step
 */

/** @typedef {'volume' | 'headphones' | 'instructions'} SetupStep */

/**
 * The body of each call.
 *
 * @typedef {object} Calls
 * @property {{study: string, token?: string, address: Record<string, string>}} open
 * @property {{study: string, language: string, device: {width: number, touch: boolean, sample_rate: number},
 *   address: Record<string, string>}} join
 * @property {{token: string | null, done: SetupStep, level?: number, answers?: number[], skipped?: boolean}} next
 * @property {{token: string | null, nonce: string, answer: Answer | null, heard: [start: number, stop: number][][],
 *   plays: number[], switches: number, dwell_ms: number, comment?: string}} answer
 * @property {{token: string | null, answers: Record<string, string>}} questionnaire
 * @property {{token: string | null}} forget
 * @property {{token: string | null}} mine
 * @property {{study: string}} privacy
 */

/** @typedef {{reason: string, seconds: number}} Trouble why there is no answer, and when the call is repeated */

/**
 * A step on the page.
 *
 * @typedef {object} StepView
 * @property {HTMLElement} root
 * @property {HTMLElement} heading
 * @property {HTMLButtonElement} [button] goes on to the next step
 * @property {string} [missing] why it cannot, as a sentence
 * @property {import('./widgets.js').Foot} [foot]
 * @property {object} [state] for tests
 * @property {() => void} update
 * @property {() => Promise<void>} [load] the sounds of the step
 * @property {() => void} [hush] stops its sound
 * @property {() => void} [keep] stores what a reload must not take away
 * @property {(name: string, event: KeyboardEvent) => boolean} [key] whether the step has a use for the key
 */

export {};
