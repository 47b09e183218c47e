"""Functions of numbers, broadcasting, reductions, products and orders."""
import torch
from torch.nn import functional as F

from references.cases import add, numbers


def positive(*shape):
    return numbers(*shape).abs().add(0.25).float().double()


def exact(*values):
    return torch.tensor([values]).float().double()


def elementwise():
    anything = [0.0, 1e-6, -1e-6, 0.5, -0.5, 1.5, 2.5, -1.5, 6.0, -6.0, 80.0, -80.0]
    above = [1e-30, 1e-6, 0.25, 1.0, 2.0, 1e6, 1e30]
    turns = [0.0, 1e-3, 0.785, -0.786, 1.57, -3.14, 100.0, -1e4, 1e6]
    for kind, function, more in [
            ("exp", torch.exp, anything), ("square", torch.square, anything),
            ("abs", torch.abs, anything), ("negative", torch.neg, anything),
            ("sin", torch.sin, turns), ("cos", torch.cos, turns)]:
        for name, x in [("odd sizes", numbers(5, 7, 3, scale=2)), ("extremes", exact(*more))]:
            add(kind, name, lambda i, w: {"y": function(i["x"])}, {"x": x})
    for kind, function in [("log", torch.log), ("sqrt", torch.sqrt), ("rsqrt", torch.rsqrt),
                           ("reciprocal", torch.reciprocal)]:
        more = above if kind in ("log", "sqrt") else above[1:-1]
        for name, x in [("odd sizes", positive(5, 7, 3)), ("extremes", exact(*more))]:
            add(kind, name, lambda i, w: {"y": function(i["x"])}, {"x": x})
    for kind, function in [("sign", torch.sign), ("floor", torch.floor), ("round", torch.round)]:
        for name, x in [("odd sizes", numbers(5, 7, 3, scale=2)), ("extremes", exact(*anything))]:
            add(kind, name, lambda i, w: {"y": function(i["x"])}, {"x": x}, fixed=["x"])
    for name, least, most in [("both", -0.5, 0.25), ("below", -0.5, None), ("above", None, 0.25)]:
        params = {k: v for k, v in [("least", least), ("most", most)] if v is not None}
        for x in [numbers(5, 7, 3), exact(-0.5, 0.25, 0.0)]:
            add("clamp", name, lambda i, w: {"y": torch.clamp(i["x"], least, most)}, {"x": x}, params)
    for name, exponent, x in [
            ("fraction", 1.5, positive(5, 7, 3)), ("root of one", -1 / 3, positive(5, 7)),
            ("cube of any sign", 3.0, numbers(5, 7)), ("inverse square", -2.0, numbers(5, 7)),
            ("none", 0.0, exact(-1.0, 0.0, 2.0)), ("one", 1.0, exact(-1.0, 0.0, 2.0)),
            ("of zero", 2.0, exact(0.0, 1.0)), ("large", 20.0, exact(0.1, 3.0, -3.0, 30.0))]:
        exponent = float(torch.tensor(exponent).float())
        add("power", name, lambda i, w: {"y": i["x"] ** exponent}, {"x": x}, {"exponent": exponent})


def batched(t, rank):
    """As weft aligns it: the batch in front, the rest at the end."""
    return t.reshape(len(t), *[1] * (rank - t.dim()), *t.shape[1:])


def aligned(*tensors):
    rank = max(t.dim() for t in tensors)
    return [batched(t, rank) for t in tensors]


PAIRS = [((1,), (1,)), ((3, 5, 7), (3, 5, 7)), ((3,), (3, 5, 7)), ((3, 5, 7), (3, 1)),
         ((2, 5, 33), (2, 33)), ((2, 4, 1), (2, 1, 3)), ((2, 3, 1, 2, 1), (2, 4, 1, 5)),
         ((2, 1, 3, 1), (2, 2, 1, 17))]


def binary():
    for a, b in PAIRS:
        for kind, function in [("add", torch.add), ("subtract", torch.sub), ("multiply", torch.mul),
                               ("minimum", torch.minimum), ("maximum", torch.maximum)]:
            add(kind, f"{a} {b}", lambda i, w: {"y": function(*aligned(i["a"], i["b"]))},
                {"a": numbers(*a), "b": numbers(*b)})
        add("divide", f"{a} {b}", lambda i, w: {"y": torch.div(*aligned(i["a"], i["b"]))},
            {"a": numbers(*a), "b": positive(*b)})
        add("pow", f"{a} {b}", lambda i, w: {"y": torch.pow(*aligned(i["a"], i["b"]))},
            {"a": positive(*a), "b": numbers(*b)})
    for kind, function in [("minimum", torch.minimum), ("maximum", torch.maximum)]:
        add(kind, "equals", lambda i, w: {"y": function(i["a"], i["b"])},
            {"a": exact(1.0, 2.0, 0.0), "b": exact(1.0, 3.0, -1.0)})
    add("pow", "of zero", lambda i, w: {"y": torch.pow(i["a"], i["b"])},
        {"a": exact(0.0, 0.0, 2.0), "b": exact(2.0, 1.0, 0.0)})


def comparisons():
    for kind, function in [("greater", torch.gt), ("greater_equal", torch.ge), ("less", torch.lt),
                           ("less_equal", torch.le), ("equal", torch.eq), ("not_equal", torch.ne)]:
        for a, b in PAIRS[:6]:
            add(kind, f"{a} {b}", lambda i, w: {"y": function(*aligned(i["a"], i["b"])).double()},
                {"a": numbers(*a).round(), "b": numbers(*b).round()}, fixed=["a", "b"])
    for c, a, b in [((3, 5), (3, 5), (3, 5)), ((3,), (3, 5, 7), (3, 5, 7)),
                    ((3, 5, 7), (3, 5, 7), (3,)), ((3, 5, 1), (3,), (3, 2, 1, 7)),
                    ((2, 3, 4), (2, 3, 1), (2, 4)), ((2,), (2,), (2, 9))]:
        def chosen(i, w):
            c, a, b = aligned(i["condition"], i["a"], i["b"])
            return {"y": torch.where(c != 0, a, b)}
        add("where", f"{c} {a} {b}", chosen,
            {"condition": numbers(*c).round(), "a": numbers(*a), "b": numbers(*b)},
            fixed=["condition"])


def reductions():
    functions = {"sum": torch.sum, "mean": torch.mean, "max": torch.amax, "min": torch.amin,
                 "logsumexp": torch.logsumexp}
    for kind in [*functions, "variance"]:
        for shape, axes, keep in [((4,), [], False), ((3, 5, 7), [], False), ((3, 5, 7), [], True),
                                  ((3, 5, 7), [1], False), ((3, 5, 17), [-1], True),
                                  ((2, 3, 4, 5), [1, 3], False), ((2, 3, 4, 5), [-1, 2], True),
                                  ((2, 3, 4, 5, 2), [3, 1], False)]:
            dim = tuple(axes or range(1, len(shape)))
            for unbiased in [False, True] if kind == "variance" and len(shape) > 1 else [False]:
                def reduced(i, w):
                    x, d = i["x"], dim
                    if not d:  # an axis of its own
                        x, d = x[:, None], (1,)
                    y = (torch.var(x, d, unbiased=unbiased, keepdim=keep) if kind == "variance"
                         else functions[kind](x, d, keepdim=keep))
                    return {"y": y}
                params = {"axes": axes, "keep": keep, **({"unbiased": True} if unbiased else {})}
                add(kind, f"{shape} {axes}", reduced, {"x": numbers(*shape)}, params)
    for kind in ["max", "min"]:
        add(kind, "equals", lambda i, w: {"y": functions[kind](i["x"], 1)},
            {"x": torch.tensor([[1.0, 2.0, 1.0, 2.0], [3.0, 3.0, 3.0, 3.0]]).double()})
    add("logsumexp", "far", lambda i, w: {"y": torch.logsumexp(i["x"], 1)},
        {"x": torch.tensor([[1000.0, 999.0, -5.0], [-1000.0, -1001.0, -1e6]]).double()},
        tolerance=1e-4)  # float32 holds 1000.3 within 3e-5


def batch_statistics():
    functions = {"batch_mean": lambda x: x.mean(0, True), "batch_max": lambda x: x.amax(0, True),
                 "batch_variance": lambda x: x.var(0, unbiased=False, keepdim=True)}
    for kind, function in functions.items():
        for shape, rows in [((5,), 5), ((5, 3, 7), 5), ((5, 3, 7), 3), ((7,), 4)]:
            add(kind, f"{rows} of {shape}",
                lambda i, w: {"y": function(i["x"][:rows]).expand(shape)}, {"x": numbers(*shape)},
                grad_rows=rows, rows=rows)
    add("batch_variance", "unbiased",
        lambda i, w: {"y": i["x"].var(0, keepdim=True).expand(5, 3)}, {"x": numbers(5, 3)},
        {"unbiased": True})
    add("batch_max", "equals", lambda i, w: {"y": i["x"].amax(0, True).expand(4, 1)},
        {"x": torch.tensor([[1.0], [2.0], [2.0], [0.0]]).double()})


def products():
    for lead, n, k, m in [((1,), 1, 1, 1), ((3,), 5, 7, 2), ((2, 3), 4, 5, 6), ((2,), 17, 33, 9)]:
        for ta in [False, True]:
            for tb in [False, True]:
                def product(i, w):
                    a = i["a"].transpose(-1, -2) if ta else i["a"]
                    b = i["b"].transpose(-1, -2) if tb else i["b"]
                    return {"y": a @ b}
                add("matmul", f"{n} {k} {m} {ta} {tb}", product,
                    {"a": numbers(*lead, *((k, n) if ta else (n, k))),
                     "b": numbers(*lead, *((m, k) if tb else (k, m)))},
                    {"transpose_a": ta, "transpose_b": tb})
    for shape, rows in [((1, 1), 1), ((5, 7), 5), ((5, 7), 3)]:
        def similarity(i, w):
            y = i["a"][:rows] @ i["b"][:rows].T
            return {"y": F.pad(y, (0, shape[0] - rows) * 2)}
        add("similarity", f"{rows} of {shape}", similarity,
            {"a": numbers(*shape), "b": numbers(*shape)}, grad_rows=rows, rows=rows)


def shared():
    """Values that all samples share, [1, ...]."""
    for kind, function in [("add", torch.add), ("multiply", torch.mul), ("divide", torch.div)]:
        for a, b in [((5, 3, 7), (1, 7)), ((1, 3, 1), (5, 7)), ((5, 3), (1,)), ((5, 3), ())]:
            padded = b[:1] + (1,) * (len(a) - len(b)) + b[1:] if len(b) < len(a) else b
            longer = a[:1] + (1,) * (len(b) - len(a)) + a[1:] if len(a) < len(b) else a
            add(kind, f"{list(a)}, {list(b)}",
                lambda i, w: {"y": function(i["a"].reshape(longer), i["b"].reshape(padded or (1,)))},
                {"a": positive(*a), "b": positive(*b)})
    add("where", "a shared choice", lambda i, w: {"y": torch.where(i["condition"] != 0, i["a"], i["b"])},
        {"condition": torch.tensor([[1.0, 0.0, 1.0]]).double(), "a": numbers(5, 3), "b": numbers(1, 3)},
        fixed=["condition"])
    for lead, tb in [((5,), False), ((5, 3), True), ((70, 2), False)]:
        add("matmul", f"rows {lead}, one matrix, {tb}",
            lambda i, w: {"y": i["a"] @ (i["b"][0].T if tb else i["b"][0])},
            {"a": numbers(*lead, 7), "b": numbers(1, *((6, 7) if tb else (7, 6)))},
            {"transpose_b": tb})
    for a, b, ta, tb in [((5, 2, 3, 7), (1, 2, 7, 6), 0, 0), ((5, 2, 3, 7), (5, 1, 6, 7), 0, 1),
                         ((5, 1, 7, 3), (5, 2, 7, 6), 1, 0), ((5, 7, 3), (5, 2, 6, 7), 1, 1),
                         ((5, 2, 7, 3), (1, 7, 6), 1, 0), ((1, 3, 7), (5, 7, 6), 0, 0),
                         ((1, 1, 3, 7), (5, 2, 6, 7), 0, 1), ((5, 2, 1, 3, 7), (1, 4, 7, 6), 0, 0),
                         ((5, 0, 7, 3), (5, 7, 6), 1, 0), ((5, 3, 7), (5, 0, 7, 6), 0, 0),
                         ((5, 1, 1, 7), (1, 3, 7, 6), 0, 0)]:
        def repeated(i, w):
            lead = max(len(a), len(b)) - 2
            x, y = (m.reshape(m.shape[:1] + (1,) * (lead + 2 - m.dim()) + m.shape[1:])
                    for m in (i["a"], i["b"]))
            return {"y": (x.mT if ta else x) @ (y.mT if tb else y)}
        add("matmul", f"{list(a)}, {list(b)}, {ta}, {tb}", repeated, {"a": numbers(*a), "b": numbers(*b)},
            {"transpose_a": bool(ta), "transpose_b": bool(tb)})
    add("matmul", "a row and the matrices of all samples",
        lambda i, w: {"y": (i["a"][:, None, None] @ i["b"])[:, :, 0]},
        {"a": numbers(5, 7), "b": numbers(1, 3, 7, 6)})
    add("matmul", "a row and a matrix of each sample",
        lambda i, w: {"y": (i["a"][:, None] @ i["b"])[:, 0]},
        {"a": numbers(5, 7), "b": numbers(5, 7, 6)})
    add("expand", "of all samples", lambda i, w: {"y": i["x"].expand(5, 3, 2)},
        {"x": numbers(1, 3, 2), "like": numbers(5, 2)}, fixed=["like"])
    add("identity", "of three", lambda i, w: {"y": torch.eye(3, dtype=torch.float64)[None]}, {},
        {"n": 3})
    for n in (1, 2, 5):
        add("matrix_inverse", f"of {n}", lambda i, w: {"y": torch.linalg.inv(i["x"])},
            {"x": numbers(4, n, n) + 3 * torch.eye(n).double()})
        add("log_determinant", f"of {n}", lambda i, w: {"y": torch.linalg.slogdet(i["x"])[1]},
            {"x": numbers(4, n, n)})
    for rows in (5, 3):
        def product(i, w):
            return {"y": (i["a"][:rows].T @ i["b"][:rows] / rows)[None]}
        add("batch_product", f"{rows} of 5", product, {"a": numbers(5, 3), "b": numbers(5, 2)},
            rows=rows)
    add("gather", "of a table", lambda i, w: {"y": i["x"][0][i["places"].long()]},
        {"x": numbers(1, 6, 3), "places": torch.tensor([[0, 5], [1, 1], [0, 0]]).int()},
        fixed=["places"])


def orders():
    for shape, axes in [((3, 5), []), ((3, 5, 7), []), ((3, 5, 7), [1, 2]), ((2, 3, 4, 5), [3, 1, 2]),
                        ((2, 40, 70), [2, 1]), ((2, 3, 4, 5, 2), [2, 1, -1, 3])]:
        order = [0, *([a % len(shape) for a in axes] or range(len(shape) - 1, 0, -1))]
        add("transpose", f"{shape} {axes}", lambda i, w: {"y": i["x"].permute(order)},
            {"x": numbers(*shape)}, {"axes": axes})
    for shape, axes in [((3, 5), [1]), ((2, 3, 4, 3), [2]), ((2, 3, 4, 5), [1, -1])]:
        add("flip", f"{shape} {axes}", lambda i, w: {"y": i["x"].flip(axes)},
            {"x": numbers(*shape)}, {"axes": axes})
    for shape, shift, axis in [((3, 5), 2, -1), ((2, 4, 3), -1, 1), ((2, 4, 3), 9, 1)]:
        add("roll", f"{shape} {shift}", lambda i, w: {"y": i["x"].roll(shift, axis)},
            {"x": numbers(*shape)}, {"shift": shift, "axis": axis})
    for batch, high, wide, size, c in [(1, 1, 1, 1, 1), (2, 3, 2, 2, 3), (2, 2, 2, 4, 1)]:
        def cut(x):
            x = x.reshape(batch, high, size, wide, size, c).permute(0, 1, 3, 2, 4, 5)
            return x.reshape(batch, high * wide, size * size * c)
        def join(x):
            x = x.reshape(batch, high, wide, size, size, c).permute(0, 1, 3, 2, 4, 5)
            return x.reshape(batch, high * size, wide * size, c)
        name = f"{high} {wide} of {size}"
        add("image_to_patches", name, lambda i, w: {"y": cut(i["x"])},
            {"x": numbers(batch, high * size, wide * size, c)}, {"size": size})
        add("patches_to_image", name, lambda i, w: {"y": join(i["x"])},
            {"x": numbers(batch, high * wide, size * size * c)},
            {"size": size, **({"height": high * size} if high != wide else {})})


def constants():
    for value in [[0.25], [0.5, -1.0, 2.0]]:
        like = numbers(4, 3)
        add("constant", str(value),
            lambda i, w: {"y": torch.tensor(value).double().expand(4, -1).squeeze(-1)},
            {"like": like}, {"value": value}, fixed=["like"])


def sorting():
    """Along an axis, or over the first `rows` samples: what lies behind them stays."""
    def ordered(x, axis, descending, rows):
        places = torch.arange(x.shape[axis]).reshape([-1 if a == axis else 1 for a in range(x.dim())])
        places = places.expand(x.shape).clone()
        some = x[:rows] if axis == 0 else x
        order = some.argsort(dim=axis, descending=descending, stable=True)
        places[:len(order)] = order
        return places

    equals = torch.tensor([[2.0, 1.0, 2.0, 1.0, 3.0]]).double()
    for name, x, axis, descending, rows in [
            ("one", numbers(1, 1), -1, False, 1), ("equals", equals, -1, False, 1),
            ("equals descending", equals.clone(), -1, True, 1), ("in the middle", numbers(3, 7, 2), 1, True, 3),
            ("long", numbers(2, 3, 130), 2, False, 2), ("samples", numbers(5, 3, 11), 0, False, 5),
            ("a short batch", numbers(6, 2), 0, True, 4)]:
        params = {"axis": axis, "descending": descending}
        axis = axis % x.dim()
        def sorted_(i, w):
            places = ordered(i["x"].detach(), axis, descending, rows)
            return {"y": i["x"].gather(axis, places), "places": places.int()}
        add("sort", name, sorted_, {"x": x}, params, rows=rows)
        add("rank", name, lambda i, w: {"y": ordered(i["x"], axis, descending, rows).argsort(axis).int()},
            {"x": x.detach().clone()}, params, rows=rows, mode="evaluate")
    for name, x, axis, k in [("one", numbers(1, 1), -1, 1), ("equals", equals.detach().clone(), -1, 2),
                             ("in the middle", numbers(3, 7, 2), 1, 3), ("all", numbers(2, 3, 9), 2, 9)]:
        params = {"axis": axis, "k": k}
        axis = axis % x.dim()
        def greatest(i, w):
            places = ordered(i["x"].detach(), axis, True, len(x)).narrow(axis, 0, k)
            mask = torch.zeros_like(i["x"]).scatter(axis, places, 1.0).detach()
            return {"values": i["x"].gather(axis, places), "places": places.int(), "mask": mask}
        add("top_k", name, greatest, {"x": x}, params)


def whole_constants():
    for name, like, value, shape in [("one", False, [7], []), ("several", True, [3, -1, 2], []),
                                     ("again and again", True, [5, -6], [3, 2])]:
        def constant(i, w):
            row = torch.tensor(value).repeat(6 // len(value)).reshape(shape) if shape else (
                torch.tensor(value) if len(value) > 1 else torch.tensor(value[0]))
            return {"y": row.expand(4 if like else 1, *row.shape).int()}
        add("int_constant", name, constant, {"like": numbers(4, 2)} if like else {},
            {"value": value, **({"shape": shape} if shape else {})}, fixed=["like"], mode="evaluate")
    for name, like, count, start, step in [("shared", False, 5, 0, 1), ("for each", True, 4, 7, -3)]:
        add("range", name,
            lambda i, w: {"y": (start + step * torch.arange(count)).expand(3 if like else 1, -1).int()},
            {"like": numbers(3, 2)} if like else {}, {"count": count, "start": start, "step": step},
            fixed=["like"], mode="evaluate")


FAMILIES = [elementwise, binary, comparisons, reductions, batch_statistics, products, orders,
            constants, shared, sorting, whole_constants]
