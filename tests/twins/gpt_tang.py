"""The twin of pipelines/gpt_tang.yaml; --evaluate also prints the bits of counting."""
import gpt
import twin


class GptTang(gpt.Gpt):
    about = "Writes poems of the Tang dynasty character by character"
    data = ("{node: text, file: tang/poems, columns: paragraphs, kind: characters, "
            "vocabulary: tang-5000, pieces: 5000, length: 65, split: %s, batch: 512}")
    length, pieces = 64, 5000
    layers = gpt.sized(pieces, length)


if __name__ == "__main__":
    twin.main(GptTang)
