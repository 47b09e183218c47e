"""The twin of pipelines/vqvae_prior.yaml; --start gives the weights of a run of vqvae. --evaluate also
prints the bits of counting codes, alone and by the token before."""
import math

import torch
from torch.nn.functional import cross_entropy

import gpt
import transformer
import twin
import vqvae


class VqvaePrior(gpt.Gpt):
    about = "A transformer learns the 49 codes of vqvae (van den Oord et al. 2017, arXiv:1711.00937)"
    epochs = 3
    batch_size = 128
    codes, classes, sites, features, blocks = 128, 10, 49, 128, 3
    layers = {
        "prior.rows": twin.embedding(codes + classes, features, 0.02),
        "prior.sited": twin.positions(sites, features),
        "prior.even": twin.layer_norm(features),
        "prior.logits": twin.linear(features, codes),
    }
    for i in range(blocks):
        layers |= transformer.block(f"prior.block.{i}", features, 4 * features)

    def __init__(self, options):
        super().__init__(options)
        self.vqvae = vqvae.Vqvae(options)
        self.states |= self.vqvae.weights | self.vqvae.states

    def samples(self, split):
        images, label = twin.idx(split, "images-idx3"), twin.idx(split, "labels-idx1")
        self.steps = self.epochs * self.batches_of(len(images))
        return [images, label]

    @torch.no_grad()
    def batch(self, images, label):
        """The class of each image, as a token behind the codes, and its codes."""
        z = self.vqvae.encode(self.vqvae.batch(images))
        code = self.vqvae.quantizer.nearest(z.reshape(-1, z.shape[-1])).view(-1, self.sites)
        return torch.cat([self.codes + label.long()[:, None], code], 1)

    def logits(self, tokens):
        x = self.weights["prior.rows.weight"][tokens]
        x = x + self.weights["prior.sited.weight"][:x.shape[1]]
        for i in range(self.blocks):
            x = self.block(f"prior.block.{i}", x, heads=self.heads)
        return self.linear("prior.logits", self.norm("prior.even", x))

    def images(self, rows, draws):
        """Drawn code by code, as many of each class, [rows, 784] in [0, 1]."""
        tokens = self.codes + torch.arange(rows)[:, None] % self.classes
        for _ in range(self.sites):
            p = self.logits(tokens)[:, -1].softmax(1)
            tokens = torch.cat([tokens, torch.multinomial(p, 1)], 1)
        return self.vqvae.decode(self.vqvae.quantizer.codebook[tokens[:, 1:]].unflatten(1, (7, 7))
                                 ).flatten(1)

    def tokens(self, split):
        return torch.cat([self.batch(*rows) for rows in
                          zip(*(t.split(1000) for t in self.samples(split)))])

    def evaluate(self):
        test = self.tokens("test")
        loss = hits = 0
        for rows in test.split(self.batch_size):
            logits = self.logits(rows[:, :-1]).flatten(0, 1)
            loss += cross_entropy(logits, rows[:, 1:].flatten(), reduction="sum").item()
            hits += (logits.argmax(1) == rows[:, 1:].flatten()).sum().item()
        n = test[:, 1:].numel()
        return {"loss": loss / n, "bits": loss / n / math.log(2), "accuracy": hits / n
                } | counted(self.tokens("train"), test, self.codes)


def counted(train, test, codes):
    """Bits of a code, guessed by how often it occurs, and by how often behind the token before."""
    def bits(p):
        return -p.log2().mean().item()

    n = torch.bincount(train[:, 1:].flatten(), minlength=codes).double() + 1
    alone = n / n.sum()
    pairs = torch.zeros(int(train.max()) + 1, codes, dtype=torch.double)
    pairs.index_put_((train[:, :-1].flatten(), train[:, 1:].flatten()),
                     torch.ones((), dtype=torch.double), accumulate=True)
    after = (pairs + 10 * alone) / (pairs.sum(1, keepdim=True) + 10)
    left, right = test[:, :-1].flatten(), test[:, 1:].flatten()
    return {"unigram_bits": bits(alone[right]), "bigram_bits": bits(after[left, right])}


if __name__ == "__main__":
    twin.main(VqvaePrior)
