# Functions that find their target when they are first called; for x86-64 and the calling convention of Linux.
#
# `stub NAME, LIBRARY, FAILURE` makes the function NAME. Its record is the struct `function` of loader.c: before the
# first call the target leads to `first_call`, afterwards straight into CUDA's library, or to FAILURE.

	.macro stub name, library, failure
	.text
	.balign 16
	.globl \name
	.type \name, @function
\name:
	jmp *.Lfunction_\name(%rip)
.Lunresolved_\name:
	lea .Lfunction_\name(%rip), %r11
	jmp first_call
	.size \name, . - \name
	.section .rodata
.Lname_\name:
	.asciz "\name"
	.data
	.balign 8
.Lfunction_\name:
	.quad .Lunresolved_\name
	.quad .Lname_\name
	.quad \library
	.quad \failure
	.endm

# Asks loader.c for the target of the record in %r11, then jumps to it with all arguments as they were.
	.text
	.type first_call, @function
first_call:
	push %rdi
	push %rsi
	push %rdx
	push %rcx
	push %r8
	push %r9
	sub $136, %rsp
	movups %xmm0, (%rsp)
	movups %xmm1, 16(%rsp)
	movups %xmm2, 32(%rsp)
	movups %xmm3, 48(%rsp)
	movups %xmm4, 64(%rsp)
	movups %xmm5, 80(%rsp)
	movups %xmm6, 96(%rsp)
	movups %xmm7, 112(%rsp)
	mov %r11, %rdi
	call weft_cuda_resolve
	mov %rax, %r11
	movups (%rsp), %xmm0
	movups 16(%rsp), %xmm1
	movups 32(%rsp), %xmm2
	movups 48(%rsp), %xmm3
	movups 64(%rsp), %xmm4
	movups 80(%rsp), %xmm5
	movups 96(%rsp), %xmm6
	movups 112(%rsp), %xmm7
	add $136, %rsp
	pop %r9
	pop %r8
	pop %rcx
	pop %rdx
	pop %rsi
	pop %rdi
	jmp *%r11
	.size first_call, . - first_call

	.section .note.GNU-stack, "", @progbits

