// Which page shows a step.

import { Done, Notice } from './done.js';
import { Headphones } from './headphones.js';
import { Instructions } from './instructions.js';
import { Privacy } from './privacy.js';
import { Questionnaire } from './questionnaire.js';
import { Trial } from './trial.js';
import { Volume } from './volume.js';
import { Welcome } from './welcome.js';

/** @import { Step, StepView } from '../messages.js' */
/** @import { Session } from '../session.js' */
/** @typedef {{step: 'error', code: string, again: boolean}} ErrorStep what the page shows of itself */

/**
 * @param {Session} session
 * @param {Step | ErrorStep} step
 * @returns {StepView}
 */
export function viewOf(session, step) {
  switch (step.step) {
    case 'welcome': return new Welcome(session, step);
    case 'volume': return new Volume(session, step);
    case 'headphones': return new Headphones(session, step);
    case 'instructions': return new Instructions(session, step);
    case 'trial': return new Trial(session, step);
    case 'questionnaire': return new Questionnaire(session, step);
    case 'privacy': return new Privacy(session, step);
    case 'done': return new Done(session, step);
    case 'error': return new Notice(session, step.step, step);
    case 'forgotten': return new Notice(session, step.step);
    default: return new Notice(session, step.step, {}, step);
  }
}
