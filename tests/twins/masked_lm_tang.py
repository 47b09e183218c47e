"""The twin of pipelines/masked_lm_tang.yaml."""
import masked_lm
import twin


class MaskedLmTang(masked_lm.MaskedLm):
    about = "Fills blanks in poems of the Tang dynasty"
    epochs = 4
    data = ("{node: text, file: tang/poems, columns: paragraphs, kind: characters, "
            "vocabulary: tang-5000, pieces: 5000, length: 64, split: %s, batch: 512}")
    pieces = 5000
    layers = masked_lm.MaskedLm.layers | {
        "encoder.rows": twin.embedding(pieces, masked_lm.MaskedLm.features, 0.02),
        "head.logits": twin.linear(masked_lm.MaskedLm.features, pieces),
    }


if __name__ == "__main__":
    twin.main(MaskedLmTang)
