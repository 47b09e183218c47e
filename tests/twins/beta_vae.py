"""The twin of pipelines/beta_vae.yaml."""
import twin
import vae


class BetaVae(vae.Vae):
    about = "beta-VAE on Fashion-MNIST, few latents that are used apart (Higgins et al. 2017)"
    latent, beta, warmup = 10, 4, 1500
    layers = vae.Vae.layers | {
        "encoder.mean": twin.linear(400, latent),
        "encoder.log_var": twin.linear(400, latent),
        "decoder.h": twin.linear(latent, 400),
    }

    def train(self, x, step):
        bce, kl = self.losses(x, "train", step)
        return self.descend((bce + self.beta * min(1, step / self.warmup) * kl).mean())

    def evaluate(self):
        means = [self.encode(self.batch(rows))[0] for rows in self.samples("test")[0].split(1000)]
        active = [(mean.var(0, correction=0) > 0.01).sum().item() for mean in means]
        numbers = super().evaluate()
        return numbers | {"loss": numbers["bce"] + self.beta * numbers["kl"],
                          "active": sum(active) / len(active)}


if __name__ == "__main__":
    twin.main(BetaVae)
