// A sound for each outcome, made here: rising is good, one low tone is look, two are stop.

const TUNES = {
  read: [[880, 0, 0.07]],
  good: [[660, 0, 0.09], [990, 0.09, 0.16]],
  look: [[392, 0, 0.22]],
  stop: [[233, 0, 0.18], [233, 0.26, 0.26]],
};

let context = null;
let last = null;

/** Play a tune; silent where the browser has no sound, or does not allow any yet. */
export function play(name) {
  last = name;
  try {
    context ??= new AudioContext();
    if (context.state === "suspended") context.resume();
    for (const [pitch, after, length] of TUNES[name] ?? []) tone(pitch, context.currentTime + after, length);
  } catch {
    // A machine without a sound card still has colours and sentences.
  }
}

export const lastPlayed = () => last;

function tone(pitch, begins, length) {
  const source = context.createOscillator();
  const loudness = context.createGain();
  source.type = "triangle";
  source.frequency.value = pitch;
  loudness.gain.setValueAtTime(0.0001, begins);
  loudness.gain.exponentialRampToValueAtTime(0.4, begins + 0.015);
  loudness.gain.exponentialRampToValueAtTime(0.0001, begins + length);
  source.connect(loudness).connect(context.destination);
  source.start(begins);
  source.stop(begins + length + 0.02);
}
