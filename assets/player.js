// The synchronized multi-take player: many renderings of one recording, one transport, one ear.
//
//                    ┌─ fader of take 1 ─┐
//   source ─ splitter ┼─ fader of take 2 ─┼─ bus ─ volume ─ destination
//                    └─ fader of take 3 ─┘
//
// The takes are the channels of one source, so they are in lock-step by construction: no scheduler, however late,
// can move one against another. Choosing a take only moves faders, so a switch never shifts or interrupts the sound,
// and what differs between two takes is the vocoder and nothing else.
//
// Classic script, one global: LabPlayer.mount(host, trigger) -> player; player.update(value) with the JSON that
// ui/player.py sends. Text from users (titles are file names) reaches the page through textContent only.

(() => {
  'use strict';

  const RAMP = 0.006;        // s, a switch between takes
  const LOOP_EDGE = 0.003;   // s, fade at both ends of a looped region
  const MIN_LOOP = 0.5;      // s
  const MIN_SPAN = 0.1;      // s, the closest zoom: about nine spectrogram columns
  const FADE_LEAD = 0.03;    // s between a switch and its ramp: an event that reaches the audio thread late is a click
  const START_LEAD = 0.05;   // s between asking for sound and the first sample
  const JOIN_LEAD = 0.15;    // s before a run takes over unheard: nobody waits, and a busy machine needs the time
  const JOIN_PAUSE = 100;    // ms in which arriving takes are collected, so that they join together
  const DRAG = 4;            // px a pointer travels before a click becomes a drag
  const GRAB = 7;            // px around a loop edge in which a drag moves that edge
  const CRISP = 3;           // px per spectrogram column from which columns are drawn with hard edges

  // ---------------------------------------------------------------- small tools

  const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
  const decibels = (db) => 10 ** (db / 20);
  const toMel = (hz) => 2595 * Math.log10(1 + hz / 700);   // HTK
  const toHz = (mel) => 700 * (10 ** (mel / 2595) - 1);

  function clock(seconds) {
    const hundredths = Math.round(Math.max(0, seconds) * 100);
    const rest = String((hundredths % 6000) / 100 | 0).padStart(2, '0');
    return `${Math.floor(hundredths / 6000)}:${rest}.${String(hundredths % 100).padStart(2, '0')}`;
  }

  function signed(number, digits = 1) {
    const text = Math.abs(number).toFixed(digits);
    if (Number(text) === 0) return text;
    return (number < 0 ? '\u2212' : '+') + text;   // a true minus: a hyphen is narrower than a plus
  }

  /** Element builder: `text`, `onclick`-like handlers and attributes in one object; falsy children are skipped. */
  function el(tag, className, options = {}, ...children) {
    const node = document.createElement(tag);
    if (className) node.className = className;
    for (const [name, value] of Object.entries(options)) {
      if (name === 'text') node.textContent = value;
      else if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
      else node.setAttribute(name, value);
    }
    node.append(...children.filter(Boolean));
    return node;
  }

  /** Writes only what changed: progress arrives many times a second, and a screen reader hears every rewrite. */
  function setText(node, text) {
    if (node.textContent !== text) node.textContent = text;
  }

  function setAttribute(node, name, value) {
    if (node.getAttribute(name) !== String(value)) node.setAttribute(name, value);
  }

  const ICONS = {
    play: 'M8 5.2v13.6L19 12z',
    pause: 'M7 5h3.6v14H7zM13.4 5H17v14h-3.6z',
    start: 'M6 6h2.2v12H6zM18 6v12l-8.6-6z',
    loop: 'M7 7h9V4.2L20.4 8 16 11.8V9H9v4H7zM17 17H8v2.8L3.6 16 8 12.2V15h7v-4h2z',
    clear: 'M6.4 5 12 10.6 17.6 5 19 6.4 13.4 12 19 17.6 17.6 19 12 13.4 6.4 19 5 17.6 10.6 12 5 6.4z',
    out: 'M5 11h14v2H5z',
    in: 'M11 5h2v6h6v2h-6v6h-2v-6H5v-2h6z',
    fit: 'M3 5h2v14H3zM19 5h2v14h-2zM6.5 12l4-3.6V11h3V8.4l4 3.6-4 3.6V13h-3v2.6z',
    volume: 'M4 9v6h4l5 4.2V4.8L8 9zM15.6 8.3v7.4a4 4 0 0 0 0-7.4zM15.6 4.6v2a6 6 0 0 1 0 10.8v2a8 8 0 0 0 0-14.8z',
    download: 'M11 4h2v8.2l3.1-3.1 1.4 1.4L12 16l-5.5-5.5 1.4-1.4 3.1 3.1zM5 18h14v2H5z',
  };

  function icon(name) {
    const namespace = 'http://www.w3.org/2000/svg';
    const svg = document.createElementNS(namespace, 'svg');
    svg.setAttribute('viewBox', '0 0 24 24');
    svg.setAttribute('class', 'lab-icon');
    svg.setAttribute('aria-hidden', 'true');
    svg.append(document.createElementNS(namespace, 'path'));
    svg.firstChild.setAttribute('d', ICONS[name]);
    return svg;
  }

  function iconButton(name, label, onclick, className = 'lab-tool') {
    return el('button', className, { type: 'button', 'aria-label': label, title: label, onclick }, icon(name));
  }

  /** A row of buttons of which one is pressed. `options`: {value: text}. */
  function segmented(label, options, onchange) {
    const buttons = Object.entries(options).map(([value, text]) =>
      el('button', 'lab-segment', { type: 'button', text, 'data-value': value, onclick: () => onchange(value) }));
    const root = el('div', 'lab-segmented', { role: 'group', 'aria-label': label }, ...buttons);
    const set = (value) => buttons.forEach((b) => setAttribute(b, 'aria-pressed', b.dataset.value === value));
    return { root, set };
  }

  // ---------------------------------------------------------------- time, in whole samples
  //
  // A schedule says when a run began and where in the clip: {rate, startFrame, offsetFrame, firstFrame, frames, loops}.
  // startFrame counts samples of the context's clock, the others samples of the clip. `frames` samples from firstFrame
  // on are what is played: the clip, or the looped region; the run began at offsetFrame of them.

  function schedule({ rate, when, position, region, clipFrames }) {
    const firstFrame = region ? Math.round(region[0] * rate) : 0;
    const frames = (region ? Math.round(region[1] * rate) : clipFrames) - firstFrame;
    const offset = Math.round(position * rate) - firstFrame;
    const offsetFrame = offset >= 0 && offset < frames ? offset : 0;
    return { rate, startFrame: Math.round(when * rate), offsetFrame, firstFrame, frames, loops: Boolean(region) };
  }

  /** Where a run that takes over from this one can begin: {when, offset, position} in s; null past the end. */
  function joinPoint({ rate, startFrame, offsetFrame, firstFrame, frames, loops }, now, lead = JOIN_LEAD) {
    const frame = Math.max(startFrame, Math.ceil((now + lead) * rate));
    const played = offsetFrame + frame - startFrame;
    if (!loops && played >= frames) return null;
    const offset = played % frames;
    return { when: frame / rate, offset: offset / rate, position: (firstFrame + offset) / rate };
  }

  /** The place in the clip, in s, that the context's clock `time` falls on. */
  function positionAt({ rate, startFrame, offsetFrame, firstFrame, frames, loops }, time) {
    const played = offsetFrame + Math.max(0, time * rate - startFrame);
    return (firstFrame + (loops ? played % frames : Math.min(played, frames))) / rate;
  }

  /** [a, b] in order, inside the clip, at least MIN_LOOP long: a shorter one grows around its centre. */
  function fitRegion([a, b], duration) {
    const length = Math.min(Math.max(Math.abs(b - a), MIN_LOOP), duration);
    const start = clamp((a + b - length) / 2, 0, duration - length);
    return [start, start + length];
  }

  function fitView([t0, t1], duration) {
    const span = clamp(t1 - t0, Math.min(MIN_SPAN, duration), duration);
    const start = clamp(t0, 0, duration - span);
    return [start, start + span];
  }

  // ---------------------------------------------------------------- sound

  /**
   * A gain that moves along straight lines and knows where it is. Cutting a ramp short needs the value at the cut:
   * cancelAndHoldAtTime finds it, but Firefox lacks it and it leaves no anchor behind when no ramp is running.
   * So the line is kept here, and a cut replaces the ramp's end by the point of the same line at the cut.
   */
  class Fader {
    constructor(context) {
      this.node = new GainNode(context, { gain: 0 });   // a node born at 1 would tick before its first event
      this.line = { t0: 0, v0: 0, t1: 0, v1: 0 };
    }

    jumpTo(value, time) {
      this.node.gain.setValueAtTime(value, time);
      this.line = { t0: time, v0: value, t1: time, v1: value };
    }

    valueAt(time) {
      const { t0, v0, t1, v1 } = this.line;
      if (time >= t1) return v1;
      return v0 + (v1 - v0) * Math.max(0, (time - t0) / (t1 - t0));
    }

    rampTo(target, time) {
      const { gain } = this.node;
      const { t0, t1, v0, v1 } = this.line;
      if (time < t0 && t0 === t1) return void this.jumpTo(target, t0);   // nothing sounds before the jump
      if (target === v1 && time >= t0) return;
      const value = this.valueAt(time);
      if (time > t1 || t0 === t1) gain.setValueAtTime(value, time);
      else if (time < t0) {
        gain.cancelScheduledValues(time);
        gain.setValueAtTime(v0, time);
      } else {
        gain.cancelScheduledValues(t1);
        if (time > t0) gain.linearRampToValueAtTime(value, time);
      }
      gain.linearRampToValueAtTime(target, time + RAMP);
      this.line = { t0: time, v0: value, t1: time + RAMP, v1: target };
    }
  }

  /** A take as one channel: a copy of its samples from `first` on, averaged where a file has several channels. */
  function mono(buffer, first, frames) {
    if (buffer.numberOfChannels === 1) return buffer.getChannelData(0).slice(first, first + frames);
    const samples = new Float32Array(frames);
    for (let channel = 0; channel < buffer.numberOfChannels; channel += 1) {
      const part = buffer.getChannelData(channel).subarray(first, first + frames);
      for (let i = 0; i < part.length; i += 1) samples[i] += part[i] / buffer.numberOfChannels;
    }
    return samples;
  }

  /** Identical short fades at both ends of every take, so that the seam of a loop is silent whatever it joins. */
  function fadeEdges(samples, rate) {
    const edge = Math.round(LOOP_EDGE * rate);
    for (let i = 0; i < edge; i += 1) {
      samples[i] *= i / edge;
      samples[samples.length - 1 - i] *= i / edge;
    }
  }

  /** What a run plays: one buffer, a channel per take. */
  function assemble(takes, { rate, firstFrame, frames, loops }) {
    const buffer = new AudioBuffer({ length: frames, numberOfChannels: takes.length, sampleRate: rate });
    takes.forEach((take, channel) => {
      const samples = mono(take.buffer, firstFrame, frames);
      if (loops) fadeEdges(samples, rate);
      buffer.copyToChannel(samples, channel);
    });
    return buffer;
  }

  /** The next whole sample that can still be scheduled, in s of the context's clock. */
  function soon({ currentTime, sampleRate }, lead = FADE_LEAD) {
    return Math.ceil((currentTime + lead) * sampleRate) / sampleRate;
  }

  /** One run of all takes from one moment on. It never seeks: a new place means a new run, cross-faded in. */
  class Playback {
    /** `ids`: the takes in the order of the channels of `buffer`; `plan`: the schedule. */
    constructor(context, output, { ids, buffer, plan, gainOf, fadeIn = false, carriesOn = false }) {
      this.plan = plan;
      this.carriesOn = carriesOn;   // the same sound as the run before, to the sample
      this.when = plan.startFrame / plan.rate;
      this.bus = new Fader(context);
      this.bus.node.connect(output);
      // The first sample of a clip, or of a loop (which has its own fades), needs no help; a cut into the middle does.
      if (fadeIn || plan.offsetFrame > 0) this.bus.rampTo(1, this.when);
      else this.bus.jumpTo(1, this.when);
      this.source = new AudioBufferSourceNode(context, { buffer, loop: plan.loops });
      const splitter = this.source.connect(new ChannelSplitterNode(context, { numberOfOutputs: ids.length }));
      this.faders = new Map(ids.map((id, channel) => {
        const fader = new Fader(context);
        fader.jumpTo(gainOf(id), this.when);
        splitter.connect(fader.node, channel).connect(this.bus.node);
        return [id, fader];
      }));
      this.source.onended = () => this.bus.node.disconnect();   // left connected, the context would keep it for ever
      this.source.start(this.when, plan.offsetFrame / plan.rate);
    }

    /** One simultaneous move of all faders: identical takes add up to themselves at every sample of it. */
    fade(gainOf, time) {
      for (const [id, fader] of this.faders) fader.rampTo(gainOf(id), time);
    }

    stop(time) {
      this.bus.rampTo(0, time);
      this.source.stop(Math.max(time, this.when) + RAMP);
    }

    endedAt(time) {
      const { rate, startFrame, offsetFrame, frames, loops } = this.plan;
      return !loops && time * rate - startFrame >= frames - offsetFrame;
    }
  }

  async function fetchAudio(url, rate, signal) {
    const response = await fetch(url, { signal }).catch(() => null);
    if (!response?.ok) throw new Error('The audio of this take could not be loaded.');
    const bytes = await response.arrayBuffer();
    // Decoding needs no real-time context, which browsers grant only after a gesture.
    return new OfflineAudioContext(1, 1, rate).decodeAudioData(bytes).catch(() => {
      throw new Error('The browser could not decode the audio of this take.');
    });
  }

  // ---------------------------------------------------------------- pictures

  async function fetchPicture(url) {
    const image = new Image();
    image.src = url;
    await image.decode();
    return { image, url, key: '', warped: null };
  }

  /**
   * The picture at `rows` rows on the wanted frequency axis, cached. Row centres carry the frequencies: the first is
   * the highest, the last 0 Hz. Rows shrink here, smoothly; columns are left for the zoom, which may want them crisp.
   */
  function onAxis(picture, axis, rows, highest) {
    const key = `${axis} ${rows}`;
    if (picture.key === key) return picture.warped;
    const { image } = picture;
    const { naturalWidth: width, naturalHeight: height } = image;
    const canvas = Object.assign(document.createElement('canvas'), { width, height: rows });
    const pen = canvas.getContext('2d');
    pen.imageSmoothingQuality = 'high';
    const sourceRow = (y) => 0.5 + (height - 1) * (1 - frequencyAt(1 - y / rows, axis, highest) / highest);
    if (axis === 'linear') pen.drawImage(image, 0, 0.5, width, height - 1, 0, 0, width, rows);
    else {
      for (let y = 0; y < rows; y += 1) {
        const top = sourceRow(y);
        pen.drawImage(image, 0, top, width, sourceRow(y + 1) - top, 0, y, width, 1);
      }
    }
    return Object.assign(picture, { key, warped: canvas }).warped;
  }

  /** The frequency at `part` of the way up the axis, 0 to 1. */
  function frequencyAt(part, axis, highest) {
    return axis === 'mel' ? toHz(toMel(highest) * part) : highest * part;
  }

  /** Labels for a frequency axis of `height` px: [{hz, y}], dense enough to read and never touching. */
  function frequencyTicks(axis, highest, height) {
    const place = axis === 'mel' ? (hz) => 1 - toMel(hz) / toMel(highest) : (hz) => 1 - hz / highest;
    const wanted = axis === 'mel' ? [4000, 1000, 2000, 8000, 500, 6000, 250] : [4000, 8000, 2000, 6000, 10000];
    const ticks = [];
    for (const hz of wanted) {
      const y = place(hz) * height;
      const free = y > 9 && y < height - 8 && ticks.every((tick) => Math.abs(tick.y - y) > 17);
      if (free) ticks.push({ hz, y });
    }
    return ticks;
  }

  /** A round time step that leaves at least `gap` px between labels, and how many small ticks divide it. */
  function timeStep(span, width, gap = 76) {
    const wanted = (span * gap) / Math.max(width, 1);
    const power = 10 ** Math.floor(Math.log10(wanted));
    const unit = [1, 2, 5, 10].find((u) => u * power >= wanted * 0.999);
    return { step: unit * power, parts: unit === 2 ? 4 : 5 };
  }

  // ---------------------------------------------------------------- one take on the page

  const STATE_TEXT = { waiting: 'Waiting', running: 'Running', failed: 'Not available', ready: 'Loading' };

  class Row {
    constructor(player, id) {
      this.badge = el('span', 'lab-key', { 'aria-hidden': 'true' });
      this.title = el('span', 'lab-title');
      this.about = el('span', 'lab-about');
      this.message = el('span', 'lab-message');
      this.bar = el('span', 'lab-bar');
      this.button = el('button', 'lab-take', { type: 'button', onclick: () => player.select(id) },
        this.badge, el('span', 'lab-words', {}, this.title, this.about, this.message,
          el('span', 'lab-progress', { 'aria-hidden': 'true' }, this.bar)));
      this.download = el('a', 'lab-tool lab-download', {}, icon('download'));
      this.chip = el('span', 'lab-chip', { title: 'Change of level that matches the loudness of the recording' });
      this.canvas = el('canvas', 'lab-canvas', { role: 'img' });
      this.scale = el('div', 'lab-scale', { 'aria-hidden': 'true' });
      this.loop = el('div', 'lab-loop');
      this.playhead = el('div', 'lab-playhead');
      this.note = el('div', 'lab-note');
      this.lane = el('div', 'lab-lane', {}, this.canvas, this.loop, this.scale, this.note, this.playhead);
      this.root = el('div', 'lab-row', {},
        el('div', 'lab-label', {}, this.button, el('div', 'lab-side', {}, this.download, this.chip)), this.lane);
      this.drawn = '';
    }

    render({ spec, state, problem, buffer, loading }, index, { audible, matched }) {
      const key = index < 10 ? String((index + 1) % 10) : '';
      const shown = audible && Boolean(buffer);
      setText(this.badge, key);
      setText(this.title, spec.title);
      setText(this.about, spec.about ?? '');
      setText(this.message, problem ?? this.progressText(spec, state, loading));
      setText(this.chip, matched && Number.isFinite(spec.gain_db) && buffer ? `${signed(spec.gain_db)} dB` : '');
      setAttribute(this.button, 'title', [spec.title, spec.about, problem].filter(Boolean).join('\n'));
      setAttribute(this.button, 'aria-pressed', shown);
      if (key) setAttribute(this.button, 'aria-keyshortcuts', key);
      this.button.disabled = !buffer;
      this.root.dataset.state = state;
      this.root.dataset.role = spec.role;
      this.root.classList.toggle('lab-audible', shown);
      this.bar.style.transform = `scaleX(${clamp(spec.progress ?? 0, 0, 1)})`;
      this.renderDownload(spec);
    }

    progressText({ progress }, state, loading) {
      if (state === 'ready' && !loading.has('buffer')) return '';
      const percent = state === 'running' && progress != null ? `, ${Math.round(progress * 100)} %` : '';
      return STATE_TEXT[state] + percent;
    }

    renderDownload({ audio, download, title }) {
      this.download.hidden = !audio?.url;
      if (!audio?.url) return;
      setAttribute(this.download, 'href', audio.url);
      setAttribute(this.download, 'download', download ?? '');
      setAttribute(this.download, 'aria-label', `Download ${title}`);
      setAttribute(this.download, 'title', `Download ${download ?? title}`);
    }

    /** Draws the picture for the current view, or says why there is none; nothing happens when nothing changed. */
    paint(track, { view, axis, highest, span: [t0, t1], duration }) {
      const difference = view === 'difference' && track.spec.role !== 'reference';
      const picture = difference ? track.difference : track.image;
      const ratio = window.devicePixelRatio || 1;
      const width = Math.round(this.lane.clientWidth * ratio);
      const height = Math.round(this.lane.clientHeight * ratio);
      const drawn = [picture?.url, axis, width, height, t0, t1].join(' ');
      this.describe(track, difference, picture, highest, duration);
      if (drawn === this.drawn || !width) return;
      this.drawn = drawn;
      Object.assign(this.canvas, { width, height, hidden: !picture });
      this.renderScale(picture ? frequencyTicks(axis, highest, height / ratio) : []);
      if (!picture) return;
      const source = onAxis(picture, axis, height, highest);
      const perSecond = source.width / duration;   // columns
      const columns = perSecond * (t1 - t0);
      const pen = this.canvas.getContext('2d');
      pen.imageSmoothingEnabled = width / columns < CRISP * ratio;
      pen.imageSmoothingQuality = 'high';
      pen.drawImage(source, perSecond * t0, 0, columns, height, 0, 0, width, height);
    }

    describe({ spec, state, loading }, difference, picture, highest, duration) {
      const what = difference ? `Difference in level between ${spec.title} and the recording`
        : `Spectrogram of ${spec.title}`;
      const range = `0 to ${Math.round(highest / 1000)} kHz, ${duration.toFixed(1)} s`;
      setAttribute(this.canvas, 'aria-label', `${what}, ${range}`);
      const missing = difference ? 'No difference map for this take' : 'No spectrogram for this take';
      setText(this.note, picture ? '' : state === 'ready' && !loading.size ? missing : STATE_TEXT[state]);
    }

    renderScale(ticks) {
      this.scale.replaceChildren(...ticks.map(({ hz, y }) => {
        const label = el('span', 'lab-hertz', { text: hz < 1000 ? String(hz) : `${hz / 1000}k` });
        label.style.top = `${y}px`;
        return label;
      }));
    }
  }

  // ---------------------------------------------------------------- everything around the takes

  const SHORTCUTS = [
    ['Space', 'play, pause'], ['1 \u2013 9, 0', 'listen to a take'], ['\u2191 \u2193', 'previous, next take'],
    ['R', 'the recording'], ['\u2190 \u2192', 'seek 1 s, with Shift 0.1 s'], ['L', 'loop on, off'],
    ['M', 'loudness matched, raw'], ['D', 'difference, spectrogram'], ['+ \u2212', 'zoom'],
    ['F', 'fit the whole clip'], ['Click', 'listen from here'], ['Drag', 'loop this part'],
    ['Double click', 'clear the loop'], ['Ctrl + wheel', 'zoom at the pointer'], ['Shift + wheel', 'move along'],
    ['?', 'this panel'],
  ];

  /** The page of one player: header, rows, legends. It holds nodes and no state; what it shows it asks the player. */
  class Desk {
    constructor(player) {
      this.player = player;
      this.rows = el('div', 'lab-rows', { role: 'group', 'aria-label': 'Takes' });
      this.hairline = el('div', 'lab-hairline', { hidden: '' });
      const stage = el('div', 'lab-stage', {}, this.rows, this.hairline);
      this.root = el('div', 'lab-body', {}, this.buildHeader(), stage, this.buildLegends());
    }

    buildHeader() {
      this.overall = el('div', 'lab-overall-bar');
      const controls = el('div', 'lab-controls', {}, this.buildTransport(), this.buildSettings());
      return el('div', 'lab-header', {}, controls, this.buildHelp(), this.buildTimeline(),
        el('div', 'lab-overall', { 'aria-hidden': 'true' }, this.overall));
    }

    buildTransport() {
      const { player } = this;
      this.play = iconButton('play', 'Play', () => player.toggle(), 'lab-play');
      this.now = el('span', 'lab-now');
      this.total = el('span', 'lab-total');
      this.loopText = el('span', 'lab-loop-text');
      this.loop = el('button', 'lab-tool lab-loop-button', { type: 'button', 'aria-label': 'Loop',
        title: 'Loop on, off (L)', onclick: () => player.toggleLoop() },
      icon('loop'), el('span', 'lab-loop-word', { text: 'Loop' }));
      this.loopClear = iconButton('clear', 'Clear the loop', () => player.setLoop(null), 'lab-tool lab-loop-clear');
      return el('div', 'lab-transport', { role: 'group', 'aria-label': 'Transport' },
        iconButton('start', 'Back to the start', () => player.rewind()), this.play,
        el('div', 'lab-time', {}, el('div', '', {}, this.now, this.total), this.loopText),
        el('div', 'lab-tools', {}, this.loop, this.loopClear));
    }

    buildSettings() {
      const { player } = this;
      this.levels = segmented('Levels', { matched: 'Loudness matched', raw: 'Raw levels' },
        (value) => player.setMatched(value === 'matched'));
      this.views = segmented('View', { spectrogram: 'Spectrogram', difference: 'Difference' },
        (value) => player.setView(value));
      this.axes = segmented('Frequency axis', { mel: 'Mel', linear: 'Linear' }, (value) => player.setAxis(value));
      this.volume = el('input', 'lab-volume', { type: 'range', min: 0, max: 1, step: 0.01, value: 1,
        'aria-label': 'Volume', title: 'Volume', oninput: () => player.setVolume(Number(this.volume.value)) });
      this.helpButton = el('button', 'lab-tool', { type: 'button', text: '?', title: 'Keyboard shortcuts (?)',
        'aria-label': 'Keyboard shortcuts', onclick: () => this.toggleHelp() });
      return el('div', 'lab-settings', {}, this.levels.root, this.views.root, this.axes.root,
        el('div', 'lab-tools', { role: 'group', 'aria-label': 'Zoom' },
          iconButton('out', 'Zoom out', () => player.zoomBy(2)), iconButton('in', 'Zoom in', () => player.zoomBy(0.5)),
          iconButton('fit', 'Fit the whole clip', () => player.setZoom(null))),
        el('div', 'lab-tools lab-sound', {}, icon('volume'), this.volume, this.helpButton));
    }

    buildHelp() {
      this.help = el('dl', 'lab-help', { hidden: '' }, ...SHORTCUTS.map(([keys, what]) =>
        el('div', 'lab-shortcut', {}, el('dt', 'lab-keys', { text: keys }), el('dd', 'lab-what', { text: what }))));
      setAttribute(this.helpButton, 'aria-expanded', false);
      return this.help;
    }

    buildTimeline() {
      this.status = el('span', 'lab-status-text', { role: 'status', 'aria-live': 'polite' });
      this.count = el('span', 'lab-count');
      this.ticks = el('div', 'lab-ticks', { 'aria-hidden': 'true' });
      this.handles = ['Start', 'End'].map((name, side) => this.buildHandle(name, side));
      this.brace = el('div', 'lab-brace', {}, ...this.handles);
      this.cap = el('div', 'lab-cap');
      this.readout = el('div', 'lab-readout', { 'aria-hidden': 'true', hidden: '' });
      this.ruler = el('div', 'lab-ruler', {}, this.ticks, this.brace, this.cap, this.readout);
      return el('div', 'lab-timeline', {}, el('div', 'lab-status', {}, this.status, this.count), this.ruler);
    }

    /** A loop edge is a slider, so that the keyboard reaches it too. */
    buildHandle(name, side) {
      const steps = { ArrowLeft: -0.05, ArrowDown: -0.05, ArrowRight: 0.05, ArrowUp: 0.05 };
      return el('div', 'lab-handle', { role: 'slider', tabindex: 0, 'aria-label': `${name} of the loop`,
        onkeydown: (event) => {
          if (!(event.key in steps) || event.ctrlKey || event.metaKey || event.altKey) return;
          event.preventDefault();
          const region = [...this.player.region];
          region[side] += steps[event.key];
          if (region[1] - region[0] >= MIN_LOOP) this.player.setLoop(region, { restart: false });
        } });
    }

    buildLegends() {
      this.legends = ['spectrogram', 'difference'].map((name) => {
        const [caption, gradient, numbers] = ['lab-caption', 'lab-gradient', 'lab-numbers'].map((c) => el('div', c));
        return { name, caption, gradient, numbers, root: el('div', 'lab-legend', {}, caption, gradient, numbers) };
      });
      return el('div', 'lab-legends', {}, ...this.legends.map((legend) => legend.root));
    }

    toggleHelp() {
      this.help.hidden = !this.help.hidden;
      setAttribute(this.helpButton, 'aria-expanded', !this.help.hidden);
    }

    timeAt(clientX) {
      const { left, width } = this.ruler.getBoundingClientRect();
      const [t0, t1] = this.player.span;
      return clamp(t0 + ((clientX - left) / width) * (t1 - t0), 0, this.player.duration);
    }

    xOf(time) {
      const [t0, t1] = this.player.span;
      return ((time - t0) / (t1 - t0)) * this.ruler.clientWidth;
    }

    render(tracks) {
      this.rows.dataset.density = tracks.length <= 4 ? 'tall' : tracks.length <= 7 ? 'medium' : 'compact';
      this.renderTransport();
      this.renderRuler();
      this.renderLegends();
      this.renderStatus();
      this.renderLoop();
    }

    renderTransport() {
      const { player } = this;
      const label = player.playing ? 'Pause' : 'Play';
      this.play.disabled = !player.takes.length;
      if (this.play.title !== label) {
        this.play.replaceChildren(icon(label.toLowerCase()));
        this.play.title = label;
        setAttribute(this.play, 'aria-label', label);
      }
      setText(this.total, ` / ${clock(player.duration)}`);
      setAttribute(this.loop, 'aria-pressed', player.looping);
      const text = player.region ? player.region.map((t) => t.toFixed(2)).join(' \u2013 ') : '';
      setText(this.loopText, text ? `Loop ${text} s` : 'Drag to loop');
      this.loopText.classList.toggle('lab-off', !player.looping);
      this.loopClear.classList.toggle('lab-unused', !player.region);
      this.levels.set(player.matched ? 'matched' : 'raw');
      this.views.set(player.view);
      this.axes.set(player.axis);
      this.renderPlayhead();
    }

    renderPlayhead() {
      const { position } = this.player;
      const move = `translateX(${this.xOf(position).toFixed(2)}px)`;
      setText(this.now, clock(position));
      this.cap.style.transform = move;
      for (const { row } of this.player.tracks.values()) row.playhead.style.transform = move;
    }

    renderLoop(region = this.player.region, active = this.player.looping) {
      const [t0, t1] = this.player.span;
      const percent = (seconds) => `${(100 * seconds) / (t1 - t0)}%`;
      for (const band of [this.brace, ...this.player.ordered.map(({ row }) => row.loop)]) {
        band.hidden = !region;
        band.classList.toggle('lab-off', !active);
        if (region) Object.assign(band.style, { left: percent(region[0] - t0), width: percent(region[1] - region[0]) });
      }
      if (!region) return;
      this.handles.forEach((handle, side) => {
        const at = region[side].toFixed(2);
        const end = this.player.duration.toFixed(2);
        const range = { valuemin: 0, valuemax: end, valuenow: at, valuetext: `${at} seconds` };
        Object.entries(range).forEach(([name, value]) => setAttribute(handle, `aria-${name}`, value));
      });
    }

    renderRuler() {
      const [t0, t1] = this.player.span;
      const width = this.ruler.clientWidth;
      const drawn = [t0, t1, width].join(' ');
      if (!width || drawn === this.rulerDrawn) return;
      this.rulerDrawn = drawn;
      const { step, parts } = timeStep(t1 - t0, width);
      const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
      const ticks = [];
      let unit = ' s';   // on the first label only
      for (let i = Math.ceil((t0 * parts) / step - 1e-9); (i * step) / parts <= t1 + 1e-9; i += 1) {
        const x = this.xOf((i * step) / parts);
        const major = i % parts === 0;
        const tick = el('span', major ? 'lab-tick lab-major' : 'lab-tick');
        tick.style.left = `${x}px`;
        if (major && x < width - 30) {   // a label cut by the right end is left out; its tick stays
          tick.textContent = ((i * step) / parts).toFixed(digits) + unit;
          unit = '';
        }
        ticks.push(tick);
      }
      this.ticks.replaceChildren(...ticks);
    }

    renderLegends() {
      const { spectrogram, colours, view } = { ...this.player.value, view: this.player.view };
      const { db_min: low, db_max: high, difference_db: limit } = spectrogram;
      const scales = {
        spectrogram: ['Level, dB', [0, 1, 2, 3, 4].map((i) => signed(low + ((high - low) * i) / 4, 0))],
        difference: ['Take minus recording, dB', [-1, -0.5, 0, 0.5, 1].map((part) => signed(part * limit, 0))],
      };
      for (const { name, root, caption, gradient, numbers } of this.legends) {
        const [text, labels] = scales[name];
        root.hidden = !colours?.[name] || (name === 'difference' && view !== 'difference');
        if (root.hidden || root.dataset.drawn === labels.join()) continue;
        root.dataset.drawn = labels.join();
        setText(caption, text);
        gradient.style.backgroundImage = `linear-gradient(90deg, ${colours[name].join(', ')})`;
        numbers.replaceChildren(...labels.map((label) => el('span', '', { text: label })));
      }
    }

    renderStatus() {
      const { state = 'done', text = '', done = 0, total = 0 } = this.player.value.status ?? {};
      setText(this.status, text);
      setAttribute(this.status, 'title', text);
      setText(this.count, state === 'running' && total ? `${done} / ${total}` : '');
      this.overall.parentElement.dataset.state = state;
      this.overall.style.transform = `scaleX(${total ? clamp(done / total, 0, 1) : 0})`;
    }

    /** Time and frequency under the pointer, and a line through all takes; `lane` null hides them. */
    point(event, lane) {
      this.hairline.hidden = !lane;
      this.readout.hidden = !lane;
      if (!lane) return;
      const { left, width } = this.ruler.getBoundingClientRect();
      const { top, height } = lane.getBoundingClientRect();
      const x = event.clientX - left;
      const hz = frequencyAt(clamp(1 - (event.clientY - top) / height, 0, 1), this.player.axis, this.player.highest);
      const frequency = hz < 1000 ? `${Math.round(hz)} Hz` : `${(hz / 1000).toFixed(2)} kHz`;
      const text = `${this.timeAt(event.clientX).toFixed(3)} s`;
      setText(this.readout, lane === this.ruler ? text : `${text}   ${frequency}`);
      this.readout.style.transform = `translateX(${x}px) translateX(${x > width / 2 ? 'calc(-100% - 6px)' : '6px'})`;
      this.hairline.style.transform = `translateX(${event.clientX - this.rows.getBoundingClientRect().left}px)`;
    }
  }

  // ---------------------------------------------------------------- pointer and wheel

  /** Click, drag, double click, pinch and wheel on the pictures and the ruler, told to the player as intentions. */
  class Gestures {
    constructor(player, desk) {
      Object.assign(this, { player, desk, drag: null, pinch: null, pointers: new Map() });
      const listen = (name, handler, options) => desk.root.addEventListener(name, (event) => {
        const lane = event.target.closest?.('.lab-lane, .lab-ruler');
        if (lane && player.takes.length) handler.call(this, event, lane);
      }, options);
      listen('pointerdown', this.press);
      listen('pointermove', this.move);
      listen('pointerup', this.release);
      listen('pointercancel', this.abandon);
      listen('dblclick', () => player.setLoop(null));
      listen('wheel', this.wheel, { passive: false });
      listen('pointerout', (event, lane) => lane.contains(event.relatedTarget) || desk.point(event, null));
      // A button clicked with the mouse keeps no focus: Space belongs to the transport. Keyboard focus is left alone.
      desk.root.addEventListener('click', (event) => event.detail > 0 && event.target.closest?.('button, a')?.blur());
      desk.volume.addEventListener('pointerup', () => desk.volume.blur());
    }

    /** The end of the loop that stays put when a drag begins on its other end; null away from both. */
    oppositeEdge(event) {
      const { region } = this.player;
      if (!region) return null;
      const x = event.clientX - this.desk.ruler.getBoundingClientRect().left;
      const [a, b] = region.map((time) => Math.abs(this.desk.xOf(time) - x));
      if (Math.min(a, b) > GRAB) return null;
      return a < b ? region[1] : region[0];
    }

    press(event, lane) {
      if (event.button !== 0) return;
      lane.setPointerCapture(event.pointerId);
      this.pointers.set(event.pointerId, event.clientX);
      if (this.pointers.size === 2) return void this.beginPinch();
      const anchor = this.oppositeEdge(event) ?? this.desk.timeAt(event.clientX);
      const track = this.player.ordered.find(({ row }) => row.lane === lane)?.id;
      this.drag = { x: event.clientX, anchor, track, region: null };
    }

    move(event, lane) {
      if (event.pointerType === 'mouse') this.desk.point(event, lane);
      if (this.pointers.has(event.pointerId)) this.pointers.set(event.pointerId, event.clientX);
      if (this.pinch) return void this.movePinch();
      const { drag } = this;
      if (!drag) return void (lane.style.cursor = this.oppositeEdge(event) === null ? '' : 'ew-resize');
      if (!drag.region && Math.abs(event.clientX - drag.x) < DRAG) return;
      drag.region = fitRegion([drag.anchor, this.desk.timeAt(event.clientX)], this.player.duration);
      this.desk.renderLoop(drag.region, true);
    }

    release(event) {
      const { drag } = this;
      this.abandon(event);
      if (!drag) return;
      if (drag.region) return void this.player.setLoop(drag.region, { track: drag.track });
      if (drag.track) this.player.select(drag.track);
      this.player.seek(this.desk.timeAt(event.clientX));
    }

    abandon(event) {
      this.pointers.delete(event.pointerId);
      if (this.pointers.size < 2) this.pinch = null;
      this.drag = null;
      this.desk.renderLoop();
    }

    beginPinch() {
      const [a, b] = this.pointers.values();
      const [t0, t1] = this.player.span;
      this.drag = null;
      this.desk.renderLoop();
      this.pinch = { width: Math.max(Math.abs(a - b), 20), centre: this.desk.timeAt((a + b) / 2), span: t1 - t0 };
    }

    /** Keeps the time that was between the fingers between the fingers. */
    movePinch() {
      const [a, b] = this.pointers.values();
      const { left, width } = this.desk.ruler.getBoundingClientRect();
      const span = (this.pinch.span * this.pinch.width) / Math.max(Math.abs(a - b), 20);
      const t0 = this.pinch.centre - (((a + b) / 2 - left) / width) * span;
      this.player.setZoom([t0, t0 + span]);
    }

    wheel(event) {
      const { player, desk } = this;
      if (event.ctrlKey || event.metaKey) {
        event.preventDefault();
        return void player.zoomBy(Math.exp(clamp(event.deltaY, -50, 50) * 0.01), desk.timeAt(event.clientX));
      }
      const across = event.shiftKey ? event.deltaX || event.deltaY : event.deltaX;
      const wanted = event.shiftKey || Math.abs(across) > Math.abs(event.deltaY);
      if (!player.zoom || !across || !wanted) return;
      event.preventDefault();
      const [t0, t1] = player.span;
      const shift = (across / desk.ruler.clientWidth) * (t1 - t0);
      player.setZoom([t0 + shift, t1 + shift]);
    }
  }

  // ---------------------------------------------------------------- the player

  class Player {
    constructor(host, trigger) {
      Object.assign(this, { host, parent: host.parentElement, trigger, value: null, tracks: new Map() });
      Object.assign(this, { context: null, playback: null, leaving: null, assembled: null });
      Object.assign(this, { starting: false, joining: null, frame: null });
      Object.assign(this, { view: 'spectrogram', axis: 'mel', matched: true, level: 1 });   // survive a new session
      this.desk = new Desk(this);
      this.gestures = new Gestures(this, this.desk);
      this.reset();
      host.hidden = true;
      this.attach();
      new ResizeObserver(() => this.refresh()).observe(this.desk.ruler);
    }

    /** Gradio may re-render the template around us: whatever it did, the same nodes go back into the page. */
    attach() {
      players.add(this);
      if (!this.host.isConnected) this.host = this.parent?.querySelector('.lab-player') ?? this.host;
      if (this.desk.root.parentNode !== this.host) this.host.replaceChildren(this.desk.root);
      this.host.labPlayer = this;
    }

    // ------------------------------------------------ data from Python

    reset() {
      this.stop();
      this.downloads?.abort();
      this.downloads = new AbortController();
      for (const { row } of this.tracks.values()) row.root.remove();
      Object.assign(this, { tracks: new Map(), selected: null, chosen: false, region: null, looping: false });
      Object.assign(this, { zoom: null, cursor: 0, cue: 0, inView: true });
    }

    update(value) {
      this.attach();
      if (value?.session !== this.value?.session) this.reset();
      if (value && this.context && this.context.sampleRate !== value.sample_rate) this.closeContext();
      this.value = value;
      const specs = value?.tracks ?? [];
      for (const [id, track] of this.tracks) {
        if (specs.some((spec) => spec.id === id)) continue;
        track.row.root.remove();
        this.tracks.delete(id);
      }
      specs.forEach((spec, index) => this.updateTrack(spec, index));
      this.applyGains();   // a loudness measured late moves with a ramp, like a switch
      this.refresh();
    }

    updateTrack(spec, index) {
      if (!this.tracks.has(spec.id)) {
        const empty = { buffer: null, image: null, difference: null, problem: null };
        this.tracks.set(spec.id, { id: spec.id, row: new Row(this, spec.id), urls: {}, loading: new Set(), ...empty });
      }
      const track = this.tracks.get(spec.id);
      Object.assign(track, { spec, index });
      const { rows } = this.desk;
      if (rows.children[index] !== track.row.root) rows.insertBefore(track.row.root, rows.children[index] ?? null);
      this.load(track, 'buffer', spec.audio, (url) => fetchAudio(url, this.rate, this.downloads.signal));
      this.load(track, 'image', spec.image, fetchPicture);
      this.load(track, 'difference', spec.difference, fetchPicture);
    }

    /** Fetches a file of a take once per URL. A result that comes after a reset finds its take gone: dropped. */
    async load(track, kind, file, read) {
      const url = file?.url;
      if (!url || track.urls[kind] === url) return;
      track.urls[kind] = url;
      track.loading.add(kind);
      const result = await read(url).catch((error) => error);
      if (this.tracks.get(track.id) !== track || track.urls[kind] !== url) return;
      const failed = result instanceof Error;
      track.loading.delete(kind);
      track[kind] = failed ? null : result;
      if (kind === 'buffer') track.problem = failed ? result.message : null;
      if (track.buffer && kind === 'buffer') this.welcome(track);
      this.refresh();
    }

    /** A decoded take becomes selectable, and soon takes part in the run that is playing. */
    welcome(track) {
      const idle = !this.playback && !this.chosen;
      if (this.selected === null || (idle && track === this.takes[0])) this.selected = track.id;
      this.joining ??= setTimeout(() => {
        this.joining = null;
        const missing = this.playback && this.takes.some(({ id }) => !this.playback.faders.has(id));
        if (missing) this.play();
      }, JOIN_PAUSE);
    }

    // ------------------------------------------------ what is known

    get ordered() { return [...this.tracks.values()].sort((a, b) => a.index - b.index); }
    get takes() { return this.ordered.filter((track) => track.buffer); }
    get rate() { return this.value?.sample_rate ?? 22050; }
    get duration() { return this.takes[0]?.buffer.duration ?? this.value?.seconds ?? 0; }
    get highest() { return this.value.spectrogram.frequency_max; }
    get span() { return fitView(this.zoom ?? [0, this.duration], this.duration); }
    get activeLoop() { return this.looping ? this.region : null; }
    get playing() { return this.starting || Boolean(this.playback); }
    get shown() { return this.host.isConnected && this.host.getClientRects().length > 0; }

    /** What is being heard now: the clock runs ahead of the loudspeaker by the output latency. */
    get audibleTime() { return this.context.currentTime - (this.context.outputLatency || 0); }
    get position() {
      if (!this.playback) return this.cursor;
      return positionAt(this.runAt(this.audibleTime).plan, this.audibleTime);
    }

    /** The run heard at a time of the context's clock: just before a hand-over, still the one that leaves. */
    runAt(time) {
      return this.leaving && this.playback.carriesOn && time < this.playback.when ? this.leaving : this.playback;
    }

    gainOf(id, audible = this.selected, matched = this.matched) {
      if (id !== audible) return 0;
      return matched ? decibels(this.tracks.get(id)?.spec.gain_db ?? 0) : 1;
    }

    get settled() {
      const ready = this.ordered.filter((track) => track.spec.state === 'ready');
      return ready.length > 0 && ready.every((track) => !track.loading.size);
    }

    get state() {
      const tracks = this.takes.map((track) => track.id);
      const { selected, matched, view, axis, position: time, span: zoom, activeLoop: loop } = this;
      const gains = Object.fromEntries(tracks.map((id) => [id, this.gainOf(id)]));
      const ready = this.host.dataset.ready === '1';
      return { ready, playing: this.playing, time, selected, matched, loop, view, axis, zoom, tracks, gains };
    }

    // ------------------------------------------------ sound

    wake() {
      if (!this.context) {
        this.context = new AudioContext({ sampleRate: this.rate });
        this.volume = new Fader(this.context);
        this.volume.node.connect(this.context.destination);
        this.volume.jumpTo(this.level ** 2, 0);
      }
      return this.context;
    }

    /** Plays once the clock of the context runs: a source scheduled before that starts late, unnoticed. */
    async begin(context) {
      this.starting = true;
      this.refresh();
      await context.resume().catch(() => {});   // refused when the context is closed meanwhile
      if (this.starting && context === this.context) this.play();
    }

    closeContext() {
      this.stop();
      this.context?.close();
      this.context = null;
    }

    /** Starts a run at `position`, or, without one, carries on from the run it replaces without losing a sample. */
    play(position) {
      if (!this.takes.length) return;
      const context = this.wake();
      if (context.state !== 'running') {
        this.cursor = position ?? this.cursor;
        return void (this.starting || this.begin(context));
      }
      this.starting = false;
      const previous = this.playback;
      const carriesOn = Boolean(previous) && position === undefined;
      const start = carriesOn ? joinPoint(this.runAt(context.currentTime + JOIN_LEAD).plan, context.currentTime)
        : { when: soon(context, START_LEAD), position: position ?? this.cursor };
      if (!start) return;   // the clip ends before another run could begin
      const options = { region: this.activeLoop, fadeIn: Boolean(previous), carriesOn };
      this.playback = this.perform(context, this.volume.node, start, options);
      this.handOver(previous, start.when);
      this.inView = true;
      this.refresh();
      this.follow();
    }

    /** The run before leaves when the new one begins; if it has not begun itself by then, so does the one before it. */
    handOver(previous, when) {
      previous?.stop(when);
      if (this.leaving && when < previous.when) this.leaving.stop(when);
      else this.leaving = previous;
    }

    /** The one place where takes become sound, for loudspeakers and for tests alike. */
    perform(context, output, start, { region, gainOf = (id) => this.gainOf(id), ...options }) {
      const { takes, rate } = this;
      const plan = schedule({ rate, region, clipFrames: takes[0].buffer.length, ...start });
      const key = [plan.firstFrame, plan.frames, plan.loops, ...takes.map(({ urls }) => urls.buffer)].join(' ');
      if (this.assembled?.key !== key) this.assembled = { key, buffer: assemble(takes, plan) };
      const ids = takes.map(({ id }) => id);
      return new Playback(context, output, { ids, buffer: this.assembled.buffer, plan, gainOf, ...options });
    }

    /** The same graph, rendered. `switches`: [[time in s, take id], ...] in order; those at 0 choose the first take. */
    async renderOffline({ switches = [], seconds = this.duration, matched = this.matched, loop = null } = {}) {
      const context = new OfflineAudioContext(1, Math.round(seconds * this.rate), this.rate);
      const region = loop && fitRegion(loop, this.duration);
      let audible = switches.filter(([time]) => time <= 0).pop()?.[1] ?? this.selected;
      const gainOf = (id) => this.gainOf(id, audible, matched);
      const start = { when: 0, position: region?.[0] ?? 0 };
      const playback = this.perform(context, context.destination, start, { region, gainOf });
      for (const [time, id] of switches.filter(([time]) => time > 0)) {
        audible = id;
        playback.fade(gainOf, time);
      }
      return (await context.startRendering()).getChannelData(0);
    }

    /** The run that is heard and, for the moment of a hand-over, the one it takes over from. */
    get runs() { return [this.leaving, this.playback].filter(Boolean); }

    stop() {
      this.runs.forEach((run) => run.stop(soon(this.context)));
      Object.assign(this, { playback: null, leaving: null, starting: false });
    }

    pause() {
      if (!this.playing) return;
      this.cursor = this.position;
      this.stop();
      this.refresh();
    }

    toggle() {
      if (this.playing) this.pause();
      else this.play();
    }

    applyGains() {
      // A run that began before the chosen take arrived sounds on as it was until it hands over.
      const able = this.runs.filter((run) => run.faders.has(this.selected));
      able.forEach((run) => run.fade((id) => this.gainOf(id), soon(this.context)));
    }

    // ------------------------------------------------ what the listener does

    select(id) {
      if (!this.tracks.get(id)?.buffer) return;
      Object.assign(this, { selected: id, chosen: true });
      if (this.playback && !this.playback.faders.has(id)) this.play();   // it has only just arrived
      this.applyGains();
      this.refresh();
    }

    step(by) {
      const ids = this.takes.map((track) => track.id);
      this.select(ids[clamp(ids.indexOf(this.selected) + by, 0, ids.length - 1)]);
    }

    /** A place outside the loop can only be heard with the loop off; the region stays for later. */
    seek(time) {
      this.cursor = clamp(time, 0, this.duration);
      this.cue = this.cursor;   // where the end of the clip returns to
      const [a, b] = this.region ?? [0, 0];
      if (this.cursor < a || this.cursor >= b) this.looping = false;
      if (this.playback) this.play(this.cursor);
      this.refresh();
    }

    /** Seeks by a step; inside a loop it stays there. */
    nudge(by) {
      const [low, high] = this.activeLoop ?? [0, this.duration];
      this.seek(clamp(this.position + by, low, high - 1 / this.rate));
    }

    rewind() {
      this.seek(this.activeLoop?.[0] ?? 0);
    }

    setLoop(region, { restart = true, track } = {}) {
      if (!region && !this.region) return;
      this.region = region && fitRegion(region, this.duration);
      this.looping = Boolean(region);
      if (region && restart) this.cue = this.cursor = this.region[0];
      if (this.playback) this.play(region && restart ? this.cursor : undefined);
      if (region) this.trigger('region', { start: this.region[0], end: this.region[1], track: track ?? this.selected });
      this.refresh();
    }

    toggleLoop() {
      if (!this.region) return void this.setLoop([this.position - 0.5, this.position + 0.5], { restart: false });
      this.looping = !this.looping;
      if (this.looping) this.cursor = clamp(this.cursor, ...this.region);
      if (this.playback) this.play();
      this.refresh();
    }

    setMatched(matched) {
      this.matched = matched;
      this.applyGains();
      this.refresh();
    }

    setVolume(level) {
      this.level = level;
      if (this.context) this.volume.rampTo(level ** 2, soon(this.context));   // squared: even to the ear
    }

    setView(view) {
      this.view = view;
      this.refresh();
    }

    setAxis(axis) {
      this.axis = axis;
      this.refresh();
    }

    setZoom(zoom) {
      const view = zoom && fitView(zoom, this.duration);
      this.zoom = view && view[1] - view[0] < this.duration ? view : null;
      this.inView = !this.zoom || (this.position >= view[0] && this.position <= view[1]);
      this.refresh();
    }

    /** Zooms around a time that stays where it is on the screen; by default the playhead, or the middle. */
    zoomBy(factor, around) {
      const [t0, t1] = this.span;
      const { position } = this;
      const centre = around ?? (position >= t0 && position <= t1 ? position : (t0 + t1) / 2);
      const span = clamp((t1 - t0) * factor, Math.min(MIN_SPAN, this.duration), this.duration);
      const left = centre - ((centre - t0) / (t1 - t0)) * span;
      this.setZoom([left, left + span]);
    }

    /** From elsewhere on the page: {track, loop: [a, b], play, scroll}; a row of the table of metrics, for example. */
    command({ track, loop, play, scroll }) {
      if (track !== undefined) this.select(track);
      if (loop) this.setLoop(loop);
      if (play && !this.playing) this.play();
      if (scroll) this.host.scrollIntoView({ block: 'start', behavior: calm.matches ? 'auto' : 'smooth' });
    }

    // ------------------------------------------------ drawing

    /** Once per frame while playing. */
    follow() {
      this.frame ??= requestAnimationFrame(() => {
        this.frame = null;
        if (!this.playback) return;
        if (!this.shown) return void this.pause();   // another tab of the app, or taken off the page
        if (this.playback.endedAt(this.audibleTime)) return void this.finish();
        if (this.audibleTime > this.playback.when) this.leaving = null;
        this.turnPage();
        this.desk.renderPlayhead();
        this.follow();
      });
    }

    finish() {
      this.stop();
      this.cursor = this.cue;
      this.refresh();
    }

    /** Turns to the playhead's page when it leaves the view, and only then: a listener may look elsewhere meanwhile. */
    turnPage() {
      const [t0, t1] = this.span;
      const { position } = this;
      const inside = position >= t0 && position <= t1;
      if (inside) this.inView = true;
      else if (this.inView && !this.gestures.drag) this.setZoom([position, position + t1 - t0]);
    }

    /** Brings the page up to date, at most once per frame. */
    refresh() {
      if (this.painting) return;
      this.painting = true;
      this.host.dataset.ready = '0';
      // A hidden page gets no frames, and nothing needs drawing there before it is seen.
      if (document.hidden) queueMicrotask(() => this.paint());
      else requestAnimationFrame(() => this.paint());
    }

    paint() {
      this.painting = false;
      const tracks = this.ordered;
      this.host.hidden = !tracks.length;
      if (tracks.length) {
        this.desk.render(tracks);
        const { view, axis, highest, span, duration, matched } = this;
        for (const track of tracks) {
          const { row, spec, index } = track;
          track.state = spec.state === 'failed' || track.problem ? 'failed' : spec.state;
          const problem = track.problem ?? (track.state === 'failed' ? spec.error ?? 'This take failed.' : null);
          row.render({ ...track, problem }, index, { audible: track.id === this.selected, matched });
          row.paint(track, { view, axis, highest, span, duration });
        }
      }
      this.host.dataset.ready = this.settled ? '1' : '0';
    }
  }

  // ---------------------------------------------------------------- the page around the players

  const players = new Set();
  const calm = window.matchMedia('(prefers-reduced-motion: reduce)');

  /** The player that keys belong to: one that can be seen, or is heard. */
  function activePlayer() {
    return [...players].find((player) => {
      if (!player.shown) return false;
      const { top, bottom } = player.host.getBoundingClientRect();
      return player.playing || (bottom > 0 && top < window.innerHeight);
    });
  }

  const KEYS = new Map(Object.entries({
    ' ': (player) => player.toggle(),
    arrowleft: (player, { shiftKey }) => player.nudge(shiftKey ? -0.1 : -1),
    arrowright: (player, { shiftKey }) => player.nudge(shiftKey ? 0.1 : 1),
    arrowup: (player) => player.step(-1),
    arrowdown: (player) => player.step(1),
    r: (player) => player.select(player.ordered.find(({ spec }) => spec.role === 'reference')?.id),
    l: (player) => player.toggleLoop(),
    m: (player) => player.setMatched(!player.matched),
    d: (player) => player.setView(player.view === 'difference' ? 'spectrogram' : 'difference'),
    f: (player) => player.setZoom(null),
    '+': (player) => player.zoomBy(0.5),
    '=': (player) => player.zoomBy(0.5),
    '-': (player) => player.zoomBy(2),
    '?': (player) => player.desk.toggleHelp(),
  }));
  for (let digit = 0; digit < 10; digit += 1) {
    KEYS.set(String(digit), (player) => player.select(player.ordered[(digit + 9) % 10]?.id));
  }

  /** Letters by their place on the keyboard where the layout is not Latin: R is R on a Cyrillic layout too. */
  function keyName({ key, code }) {
    const letter = /^Key([A-Z])$/.exec(code);
    return (letter && key.charCodeAt(0) > 127 ? letter[1] : key).toLowerCase();
  }

  // What an element with the focus needs for itself is not ours: text all keys, buttons Space, sliders and tabs arrows.
  const TEXTUAL = 'input:not([type=range], [type=checkbox], [type=radio], [type=button]), textarea, select';
  const PRESSABLE = 'button, a[href], summary, label, input, [role=button], [role=tab], [role=option]';
  const MOVABLE = 'input, audio, video, [role=slider], [role=tab], [role=listbox], [role=option], [role=grid]';

  function isTaken(name, target) {
    const needs = (selector) => Boolean(target.closest(selector));
    if (target.isContentEditable || needs(TEXTUAL)) return true;
    return (name === ' ' && needs(PRESSABLE)) || (name.startsWith('arrow') && needs(MOVABLE));
  }

  document.addEventListener('keydown', (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    const name = keyName(event);
    const action = KEYS.get(name);
    if (!action || (event.target instanceof Element && isTaken(name, event.target))) return;
    const player = activePlayer();
    if (!player?.takes.length) return;
    event.preventDefault();
    if (!event.repeat || name.startsWith('arrow') || '+=-'.includes(name)) action(player, event);
  });

  document.addEventListener('visibilitychange', () => {
    if (document.hidden) players.forEach((player) => player.pause());
  });

  // Playback asked for without a gesture waits in a suspended context: the first gesture lets it sound.
  document.addEventListener('pointerdown', () => {
    players.forEach((player) => player.starting && player.context.resume().catch(() => {}));
  });

  window.addEventListener('lab-player-command', ({ detail }) => {
    players.forEach((player) => player.shown && player.command(detail ?? {}));
  });

  function mount(host, trigger = () => {}) {
    for (const player of players) {   // what Gradio has taken off the page
      if (player.host.isConnected && player.host !== host) continue;
      player.closeContext();
      players.delete(player);
    }
    return new Player(host, trigger);
  }

  window.LabPlayer = Object.freeze({ mount, joinPoint, positionAt, fitRegion });
})();
