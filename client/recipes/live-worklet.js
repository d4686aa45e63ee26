// Makes 16-bit samples of what a microphone hears, and posts them 50 ms at a time.
class Pcm extends AudioWorkletProcessor {
  constructor() {
    super();
    this.samples = new Int16Array(sampleRate / 20);
    this.length = 0;
  }

  process([[channel = []]]) {
    for (const value of channel) {
      // −1 to 1; what is louder is cut off.
      this.samples[this.length++] = Math.max(-1, Math.min(1, value)) * 32767;
      if (this.length < this.samples.length) continue;
      this.port.postMessage(this.samples.slice().buffer);
      this.length = 0;
    }
    return true;
  }
}
registerProcessor('pcm', Pcm);
