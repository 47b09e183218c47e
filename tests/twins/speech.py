"""What the twins of the pipelines of speech share: a second of each prompt, and its language."""
import twin

DATA = ('{node: audio, folder: [speech_en, speech_es, speech_fr, speech_it, speech_ru], '
        'match: "^(?!.*/silence/)", group: "[^/]+$", bad_files: skip, test_share: 0.2, rate: 8000, seconds: 1.024, window: 400, '
        'hop: 128, mels: 40, split: %s, batch: 256}')
PORTS = {"sound": "data.spectrogram", "label": "{node: to_float, x: data.label}"}


class Speech(twin.Model):
    batch_size = 64

    def samples(self, split):
        """[n, 64, 40] and [n]"""
        sound, label = twin.weft_samples(DATA % split, PORTS)
        self.steps = self.epochs * self.batches_of(len(label))
        return [sound, label.long()]

    def batch(self, *rows):
        return rows
