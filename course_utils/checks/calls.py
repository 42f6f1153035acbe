"""What libraries call the things that answers have to write themselves."""

CONVOLUTION_OPERATORS = "conv(?!ert)"
CONVOLUTION_NAMES = frozenset(
    {"conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d"}
    | {"Conv1d", "Conv2d", "Conv3d", "ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d"}
    | {"LazyConv1d", "LazyConv2d", "LazyConv3d", "conv_tbc", "convolution", "_convolution"}
    | {"conv1d_input", "conv2d_input", "conv2d_weight", "correlate2", "convolution_backward"}
    | {"convolve", "convolve1d", "convolve2d", "fftconvolve", "oaconvolve", "correlate"}
    | {"correlate1d", "correlate2d", "filter2D", "sepFilter2D", "conv_general_dilated"}
    | {"depthwise_conv2d", "separable_conv2d"}
)

# `Tensor.unfold` is another thing than `torch.nn.functional.unfold`.
IM2COL_OPERATORS = "im2col|col2im"
IM2COL_NAMES = frozenset(
    {"torch.nn.functional.unfold", "torch.nn.functional.fold", "Unfold", "Fold"}
    | {"im2col", "col2im"}
)

POOLING_OPERATORS = "pool"  # adaptive ones and unpooling too
POOLING_NAMES = frozenset(
    {
        f"{kind}_pool{n}d"
        for kind in ("max", "avg", "lp", "adaptive_max", "adaptive_avg")
        for n in (1, 2, 3)
    }
    | {
        f"{kind}Pool{n}d"
        for kind in ("Max", "Avg", "LP", "AdaptiveMax", "AdaptiveAvg")
        for n in (1, 2, 3)
    }
    | {
        f"{kind}{n}d"
        for kind in ("max_unpool", "MaxUnpool", "fractional_max_pool")
        for n in (1, 2, 3)
    }
    | {f"max_pool{n}d_with_indices{end}" for n in (1, 2, 3) for end in ("", "_backward")}
    | {"FractionalMaxPool2d", "FractionalMaxPool3d", "maximum_filter", "maximum_filter1d"}
    | {"minimum_filter", "minimum_filter1d", "uniform_filter", "uniform_filter1d", "rank_filter"}
    | {"percentile_filter", "generic_filter", "generic_filter1d", "grey_dilation", "grey_erosion"}
    | {"block_reduce", "dilate", "erode", "reduce_window", "max_pool", "avg_pool"}
)

AUTOGRAD_NAMES = frozenset(
    {"torch._tensor.backward", "torch.autograd.backward", "torch.autograd.grad", "run_backward"}
    | {"_engine_run_backward", "vjp", "jvp", "jacrev", "jacfwd", "jacobian", "value_and_grad"}
    | {"torch._functorch.apis.grad", "torch._functorch.apis.vmap_grad"}
)
