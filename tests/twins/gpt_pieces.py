"""The twin of pipelines/gpt_pieces.yaml; --evaluate also prints the bits of counting."""
import gpt
import twin


class GptPieces(gpt.Gpt):
    about = "Writes novels of Jane Austen in pieces of words, in the sizes of nanoGPT for a CPU"
    epochs = 4
    batch_size = 12
    data = ("{node: text, file: austen/austen.txt, vocabulary: austen-1024, kind: bpe, "
            "pieces: 1024, length: 65, split: %s, batch: 512}")
    length, pieces = 64, 1024
    layers = gpt.sized(pieces, length)


if __name__ == "__main__":
    twin.main(GptPieces)
