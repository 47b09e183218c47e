"""The twin of pipelines/emoji_from_words.yaml."""
import torch

import emoji
import flow_matching
import twin
from flow_matching import RATES, res_block


class EmojiFromWords(flow_matching.FlowMatching):
    about = "Draws emoji from the words of their names, by flow matching (Lipman et al. 2023)"
    epochs = 100
    batch_size = 64
    guidance, size = 2, 32
    data = emoji.DATA.replace("label: category, ", "range: symmetric, ")
    layers = {
        "words.rows": twin.embedding(1024, 128, 0.1),
        "words.y": twin.linear(128, 128),
        "unet.c.layer.0": twin.linear(2 * len(RATES) + 128, 128),
        "unet.c.layer.1": twin.linear(128, 128),
        "unet.first": twin.conv(3, 32, 3),
        **res_block("unet.d1", 32, 32, 128),
        "unet.half": twin.conv(32, 64, 3),
        **res_block("unet.d2", 64, 64, 128),
        "unet.fourth": twin.conv(64, 128, 3),
        **res_block("unet.middle", 128, 128, 128),
        "unet.up2": twin.conv_transpose(128, 64, 2),
        **res_block("unet.u2", 128, 64, 128),
        "unet.up1": twin.conv_transpose(64, 32, 2),
        **res_block("unet.u1", 64, 32, 128),
        "unet.y": twin.conv(32, 3, 3),
    }

    @staticmethod
    def follower(name):
        return "average_" + name if name.startswith("words") else flow_matching.FlowMatching.follower(name)

    def samples(self, split):
        image, words = twin.weft_samples(self.data % split, {
            "image": "data.image", "words": "{node: to_float, x: data.words}"})
        self.steps = self.epochs * self.batches_of(len(image))
        return [self.laid_out(image.permute(0, 3, 1, 2)), words.long()]

    def batch(self, image, words):
        return image, words

    def tell(self, words):
        rows = self.weights["words.rows.weight"][words.clamp(min=0)] * (words >= 0)[..., None]
        return self.linear("words.y", rows.mean(1))

    def drawn(self, x, section, step):
        image, words = x
        return super().drawn((image, self.tell(words)), section, step)

    # What draws

    def start(self, rows, path, step):
        """Noise, and the names of the test from `step` batches of them on."""
        self.weights = {name: self.states[self.follower(name)] for name in self.weights}
        words = self.samples("test")[1][step * rows:(step + 1) * rows]
        noise = self.noise(path, step, (len(words), 3, self.size, self.size))
        return self.laid_out(noise), self.tell(words)


if __name__ == "__main__":
    twin.main(EmojiFromWords)
