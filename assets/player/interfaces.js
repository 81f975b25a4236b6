// Types that several modules share: the player's value, and what the transport asks of a player. Nothing runs here.

/**
 * The JSON that ui/player.py sends.
 *
 * @typedef {object} PlayerValue
 * @property {string} session another one means another recording
 * @property {number} sample_rate Hz, the highest of all tracks, at which they are played
 * @property {number} seconds length of the recording
 * @property {{state: 'running' | 'done' | 'cancelled', text: string, done: number, total: number}} status
 * @property {{db_min: number, db_max: number, difference_db: number, frequency_max: number}} spectrogram ranges of the
 *   pictures, in dB, and the top of their axis, in Hz
 * @property {{spectrogram: string[], difference: string[]}} colours stops of the colour maps, CSS colours
 * @property {TrackValue[]} tracks
 */

/**
 * One row of the player's value. The addresses of files are relative to the page.
 *
 * @typedef {object} TrackValue
 * @property {string} id
 * @property {string} title
 * @property {string} about
 * @property {'reference' | 'system'} role
 * @property {'waiting' | 'running' | 'ready' | 'failed' | 'stopped'} state
 * @property {string | null} error
 * @property {number | null} progress 0 to 1
 * @property {{url: string} | null} audio of a running system, its beginning: silence is in the place of the rest
 * @property {PictureValue | null} image spectrogram
 * @property {PictureValue | null} difference map of differences from the reference
 * @property {number} gain_db brings the track to the loudness of the others
 * @property {string | null} download name of the file that is saved
 * @property {string | null} of the id of the track that it accompanies: of a residual, the output's
 * @property {string} [withheld] why its pictures are not shown
 */

/** @typedef {{url: string, frequency_max?: number}} PictureValue with the highest frequency in it, in Hz */
/** @typedef {[start: number, end: number]} Span in s of the clip */
/** @typedef {'mel' | 'linear'} Axis of frequency */
/** @typedef {'spectrogram' | 'difference'} View */
/** @typedef {{track?: string, loop?: Span, play?: boolean, scroll?: boolean}} Command from elsewhere on the page */

/**
 * A decoded sound.
 *
 * @template {string | number} Id
 * @typedef {{id: Id, buffer: AudioBuffer}} Sound
 */

/**
 * What a transport asks of the player whose sounds it plays. `Player` and the listening test's `BlindPlayer` are such.
 *
 * @template {string | number} Id
 * @typedef {object} TransportHost
 * @property {number} rate of all sounds, Hz
 * @property {number} duration of all sounds, s
 * @property {Sound<Id>[]} sounds what can be played, in the order of the rows
 * @property {Id | null} selected the one that is audible
 * @property {Span | null} activeLoop the part that is repeated; null plays to the end of the clip
 * @property {number} cursor s, where the next run begins; the transport moves it when a run ends
 * @property {number} cue s, where the cursor returns to at the end of the clip
 * @property {boolean} shown whether it can be seen; what cannot be seen does not play on
 * @property {(id: Id, audible?: Id | null, matched?: boolean) => number} gainOf linear; 0 for all but the audible one
 * @property {() => void} onStart a run has begun
 * @property {() => void} onFrame once per frame while a run plays
 * @property {() => void} refresh what plays or what can be played has changed
 */

export {};
